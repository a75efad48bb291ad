from rich.cells import cell_len

from sim.evidence import ledger


def test_list_filters(command):
    """Every filter narrows the list, and filters add up."""
    everything = command.json("figures", "list")
    assert [f["id"] for f in everything] == list(ledger.figures())
    rejected = command.json("figures", "list", "--use", "rejected", "--source", "A")
    assert rejected
    assert all(f["use"] == "rejected" and "A" in f["sources"] for f in rejected)
    policy = command.json("figures", "list", "--role", "policy_parameter", "--search", "生活补助")
    assert {f["role"] for f in policy} == {"policy_parameter"}
    assert "subsidy_bachelor_per_year" in [f["id"] for f in policy]


def test_columns_line_up_in_chinese(command):
    """Chinese letters take two cells: the column after them starts where its heading does."""
    head, _, *rows = command("figures", "list", "--search", "生活补助", "--lang", "zh").stdout.strip("\n").splitlines()
    start = cell_len(head[: head.index("时间")])
    for row in rows:
        assert cell_len(row[: row.index(" 2024-04") + 1]) == start, row


def test_show_tells_all(command):
    """A figure comes with its source in full, and why it was rejected if it was."""
    lost = next(f for f in ledger.figures().values() if f.use == "rejected" and f.why)
    said = command("figures", "show", lost.id, "--lang", "zh").stdout
    assert lost.why["zh"] in said
    assert ledger.sources()[lost.sources[0]].publisher in said
    assert command.json("figures", "show", lost.id)["sources"][0]["id"] == lost.sources[0]


def test_audit_counts_and_compares(command, place):
    """Each number has its status; one that cites a figure and says another number is pointed out."""
    (place / "cited.yaml").write_text(
        "schema: 1\nextends: tiny.yaml\narrivals:\n  per_year: {value: 50_000, evidence: student_inflow_per_year}\n"
    )
    told = command.json("figures", "audit", "cited.yaml")
    assert sum(told["counts"].values()) == len(told["numbers"])
    row = next(n for n in told["numbers"] if n["path"] == "arrivals.per_year")
    figure = ledger.figure("student_inflow_per_year")
    assert (row["status"], row["evidence"]) == ("published", figure.id)
    said = command("figures", "audit", "cited.yaml", "--lang", "zh").stdout
    assert row["agrees"] or "与公布值" in said
    assert f"共{len(told['numbers'])}个数值：公布 {told['counts']['published']}" in said


def test_audit_of_one_status(command):
    """--status narrows the list; the counts are of all numbers."""
    told = command.json("figures", "audit", "tiny.yaml", "--status", "published")
    assert {n["status"] for n in told["numbers"]} <= {"published"}
    assert sum(told["counts"].values()) > len(told["numbers"])
    said = command("figures", "audit", "tiny.yaml", "--status", "published").stdout
    assert "behaviour." not in said


ONLY = tuple(word for path in ("arrivals.per_year", "behaviour.money.margin") for word in ("--only", path))


def test_audit_takes_variance_apart(command, place):
    """--variance runs, answers, and writes a folder that is shown again as it was; the plain audit runs nothing."""
    words = ("figures", "audit", "tiny.yaml", "--variance", "--pairs", "2", *ONLY)
    estimate = command.json(*words, "--dry-run")
    assert estimate["numbers"] == 2
    assert estimate["seconds"] > 0
    assert not (place / "runs").exists()
    said = command(*words, "--lang", "zh").stdout
    assert "[bold]小城[/] <script>alert(1)</script>：哪些结论建立在假设之上" in said
    assert "已写入 runs/tiny-audit" in said
    folder = place / "runs" / "tiny-audit"
    assert (folder / "figures" / "living_end.svg").exists()
    stored = command("figures", "audit", "runs/tiny-audit", "--lang", "zh").stdout
    command.caveats(stored, "zh")
    assert stored.splitlines()[:-1] == said.splitlines()[:-1]
    told = command.json("figures", "audit", "runs/tiny-audit")
    assert told["basis"]["runs"] == estimate["runs"]
    assert set(told["varied"]) == {"arrivals.per_year", "behaviour.money.margin"}
    assert {o["outcome"] for o in told["outcomes"]} >= {"survival_12m", "living_end", "reached_hub"}
    command(*words, "-o", "again", "--no-figures")
    tables = [p.name for p in folder.glob("*.parquet")]
    assert len(tables) == 4
    assert all((folder / n).read_bytes() == (place / "again" / n).read_bytes() for n in tables)


def test_audit_refuses_what_has_no_meaning(command, place):
    """Options of --variance without it, a status with it, and a path that cannot vary are mistakes, and told."""
    said = command("figures", "audit", "tiny.yaml", "--top", "3", "--lang", "zh", code=2).stderr
    assert "--top 要与 --variance 一起用" in said
    assert "--status" in command("figures", "audit", "tiny.yaml", "--variance", "--status", "assumed", code=2).stderr
    said = command("figures", "audit", "tiny.yaml", "--variance", "--only", "arrivals.per_yaer", code=2).stderr
    assert "arrivals.per_year" in said
    (place / "empty").mkdir()
    assert "empty" in command("figures", "audit", "empty", code=2).stderr
    assert "--variance" in command("figures", "audit", "tiny.yaml").stderr
