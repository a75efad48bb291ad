"""One offline file that tells of a run, a comparison, a sweep, ...: for whoever decides, on screen and on paper."""
