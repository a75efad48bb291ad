// The page: what is asked of the program, what it answers, and where everything stands.

const SPEEDS = { slow: 1, normal: 3, fast: 8 }; // months a second
const PATIENCE = 400; // milliseconds before the page says that it is waiting
const PLAYING = { step: 3000, run: 3000, figures: 8000 }; // what is seen to go on needs no word so soon
const FONT = "Sim Sans SC";

class Page {
  constructor(model, root) {
    this.model = model;
    this.words = {};
    this.word = (key, values = {}) => (this.words[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
    this.speed = "normal";
    this.playing = null; // null, "play" or "run"
    this.waiting = 0;
    this.pulled = 0; // levers whose answer is awaited
    this.build(root);
    model.on("msg:custom", (message) => this.hear(message));
    model.document?.on_event?.("connection_lost", () => this.lose());
    this.ask({ do: "hello" });
    this.font();
  }

  // what is asked ----------------------------------------------------------------------------------------------------

  ask(order) {
    this.waiting += 1;
    if (order.do === "set") this.pulled += 1;
    this.root.setAttribute("aria-busy", "true");
    clearTimeout(this.late);
    this.late = setTimeout(() => this.busy(order.do), PLAYING[order.do] ?? PATIENCE);
    this.model.send_msg(order);
  }

  busy(what) {
    if (!this.waiting) return;
    this.notice.textContent = this.word(`busy.${what}`) === `busy.${what}` ? this.word("busy.other") : this.word(`busy.${what}`);
    this.notice.className = "notice shown";
  }

  go(how) {
    if (this.playing === how || this.state?.ended) return this.stop();
    const idle = !this.playing;
    this.playing = how;
    this.dress_buttons();
    if (idle) this.beat();
  }

  stop() {
    const played = this.playing;
    this.playing = null;
    clearTimeout(this.next);
    this.dress_buttons();
    if (played && this.drawn !== this.state?.month) this.ask({ do: "figures" });
  }

  beat() {
    if (!this.playing) return;
    this.beaten = performance.now();
    const months = SPEEDS[this.speed] > 4 ? 2 : 1;
    this.pace = (1000 * months) / SPEEDS[this.speed];
    this.ask(this.playing === "run" ? { do: "run" } : { do: "step", months });
  }

  // what is heard ----------------------------------------------------------------------------------------------------

  hear(message) {
    const heard = {
      words: () => this.speak(message),
      scenario: () => this.furnish(message),
      values: () => { if (this.pulled < 2) this.levers.set(message.values); }, // else they are of before the last pull
      frame: () => this.show(message),
      figures: () => this.picture(message),
      life: () => this.tell(message),
      file: () => this.save(message),
      trouble: () => this.complain(message.said),
      note: () => this.complain(message.said, "note"),
      font: () => this.take_font(message.content),
      done: () => this.done(message.what),
    }[message.is];
    if (heard) heard();
  }

  done(what) {
    this.waiting = Math.max(this.waiting - 1, 0);
    if (what === "set") this.pulled -= 1;
    if (!this.waiting) {
      this.root.setAttribute("aria-busy", "false");
      clearTimeout(this.late);
      if (this.notice.className === "notice shown") this.notice.className = "notice";
    }
    if (this.playing && (what === "step" || what === "run")) {
      if (this.state.ended) return this.stop();
      const rest = this.playing === "run" ? 0 : this.pace - (performance.now() - this.beaten);
      this.next = setTimeout(() => this.beat(), Math.max(rest, 0));
    }
  }

  lose() {
    this.stop();
    this.complain(this.word("gone"));
    clearTimeout(this.quiet);
  }

  complain(said, kind = "trouble") {
    this.notice.textContent = said;
    this.notice.className = `notice ${kind}`;
    clearTimeout(this.quiet);
    this.quiet = setTimeout(() => { this.notice.className = "notice"; }, 9000);
  }

  speak({ lang, words, choices, chosen }) {
    this.words = words;
    this.lang = lang;
    this.root.lang = lang === "zh" ? "zh-CN" : "en";
    if (this.model.data.fill) {
      document.documentElement.lang = this.root.lang;
      document.title = words.title;
    }
    for (const [element, key, attribute] of this.texts) {
      if (attribute) element.setAttribute(attribute, this.word(key));
      else element.textContent = this.word(key);
    }
    for (const [code, button] of Object.entries(this.languages)) button.setAttribute("aria-pressed", String(code === lang));
    this.choice.replaceChildren(...choices.map((name, i) => make("option", { value: i, selected: i === chosen }, name)));
    this.choice.hidden = choices.length < 2;
    this.dress_buttons();
  }

  furnish({ title, stages, seed, chosen, sections, caveat }) {
    this.caveat.textContent = caveat;
    this.stages = stages;
    this.seed.value = seed;
    this.heading.textContent = title;
    this.heading.hidden = !this.choice.hidden;
    this.choice.value = String(chosen);
    this.levers.furnish(sections);
    this.close_life();
    this.root.classList.add("ready");
  }

  show(state) {
    const before = this.state;
    this.state = state;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const jump = !before || state.again || this.playing === "run" || calm;
    const ms = jump ? 0 : state.anew ? 500 : this.playing ? Math.min(0.85 * this.pace, 750) : 600;
    this.date.textContent = state.date;
    this.elapsed.textContent = this.word("elapsed", { month: state.month, months: state.months });
    this.bar.style.width = `${(100 * state.month) / state.months}%`;
    this.progress.setAttribute("aria-valuenow", state.month);
    this.progress.setAttribute("aria-valuemax", state.months);
    this.headline.textContent = state.said;
    const grain = state.grain === 1 ? this.word("legend.one") : this.word("legend.many", { count: state.grain.toLocaleString("en") });
    this.grain.textContent = grain;
    const capacities = state.sides.map((side) => side.stages.map((s) => s.places));
    const largest = capacities[0].map((places, i) => Math.max(places, capacities[1][i]));
    this.sides.forEach((side, i) => {
      const mine = state.sides[i];
      const capacity = capacities[i];
      const furniture = JSON.stringify([this.stages, capacity, largest, state.room, state.grain, this.lang]);
      if (state.again) side.chain.clear();
      if (furniture !== side.furniture) {
        side.furniture = furniture;
        side.chain.furnish(this.stages, { room: state.room, grain: state.grain, capacity, largest });
      }
      for (const [name, [number, differs]] of Object.entries(mine.numbers)) {
        const [big, small] = side.numbers[name] ?? [];
        if (!big) continue;
        big.textContent = number;
        if (small) small.textContent = differs;
      }
      side.chain.show(mine, ms);
    });
    const each = this.sides[0].chain.each ?? 1;
    this.seats.textContent = each > 1 ? this.word("legend.each", { count: each.toLocaleString("en") }) : "";
    this.restore.disabled = !state.changed;
    this.dress_buttons();
  }

  picture({ month, survival, sizes }) {
    this.drawn = month;
    if (!survival) { // nobody has lived a month yet
      for (const figure of Object.values(this.figures)) figure.hidden = true;
      for (const wait of this.waits) wait.hidden = false;
      return;
    }
    const url = (svg) => `data:image/svg+xml;base64,${btoa(unescape(encodeURIComponent(svg)))}`;
    this.figures.survival.src = url(survival);
    this.figures.sizes.src = url(sizes);
    for (const figure of Object.values(this.figures)) figure.hidden = false;
    for (const wait of this.waits) wait.hidden = true;
    const said = this.word("figure_at", { date: this.state?.date ?? "" });
    this.figures.survival.alt = `${this.word("survival")} ${said} ${this.state?.said ?? ""}`;
    this.figures.sizes.alt = `${this.word("sizes")} ${said}`;
  }

  // one life ---------------------------------------------------------------------------------------------------------

  choose(uid) {
    if (this.playing) this.stop();
    for (const side of this.sides) side.chain.mark(uid);
    this.came_from = this.root.getRootNode().activeElement;
    this.ask({ do: "life", uid });
  }

  tell(life) {
    const apart = life.sides[0].length || life.sides[1].length;
    const received = (i) => make("p", { class: `received ${SIDES[i]}` }, life.received[i]);
    this.life_name.textContent = life.who;
    this.life_text.replaceChildren(...[
      life.together.length ? make("section", {}, make("h3", {}, this.word("together")), this.story([life.together])) : null,
      make("p", { class: "where" }, life.where),
      apart ? this.story(life.sides) : null,
      apart ? make("div", { class: "story two" }, make("span", {}), received(0), received(1)) : received(0),
      make("details", {}, make("summary", {}, this.word("notes")),
        ...life.below.map((said) => make("p", {}, said)),
        make("ol", {}, ...life.notes.map(([number, said]) => make("li", { value: number }, said)))),
    ].filter(Boolean));
    this.life.hidden = false;
    this.life_text.scrollTop = 0;
    this.life_close.focus();
  }

  // A life, or two beside each other, month by month: when, and what happened.
  story(sides) {
    const months = [...new Set(sides.flat().map(([month]) => month))].sort((a, b) => a - b);
    const cell = (side, month) => make("div", {}, ...side.filter(([m]) => m === month).map(([, , said]) => this.sentence(said)));
    const when = (month) => [...new Set(sides.flat().filter(([m]) => m === month).map(([, date]) => date))];
    const heads = sides.length > 1 ? [make("span", {}), ...SIDES.map((name) => make("h3", { class: name }, this.word(name)))] : [];
    return make("div", { class: sides.length > 1 ? "story two" : "story" }, ...heads, ...months.flatMap((month) =>
      [make("div", { class: "when" }, ...when(month).map((dates) => make("p", {}, ...this.dates(dates)))), ...sides.map((side) => cell(side, month))]));
  }

  // From when to when, in lines that break between the two.
  dates(said) {
    return said.split("–").map((date, i, all) => make("span", {}, i < all.length - 1 ? `${date}–` : date));
  }

  // A sentence with the numbers of its notes made small.
  sentence(said) {
    const [, text, notes] = said.match(/^(.*?)((?:\s*\[[\d–,]+\])?)$/s);
    return make("p", {}, text, notes ? make("sup", {}, notes.trim()) : null);
  }

  close_life() {
    if (this.life.hidden) return;
    this.life.hidden = true;
    for (const side of this.sides) side.chain.mark(null);
    this.came_from?.focus?.();
  }

  // files and letters ------------------------------------------------------------------------------------------------

  save({ name, type, content }) {
    const url = URL.createObjectURL(new Blob([content], { type: `${type};charset=utf-8` }));
    make("a", { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  }

  async font() {
    if ([...document.fonts].some((face) => face.family.includes(FONT))) return;
    if (!this.model.data.font) return this.ask({ do: "font" });
    this.add_font(new FontFace(FONT, `url(${this.model.data.font})`));
  }

  take_font(content) {
    this.add_font(new FontFace(FONT, Uint8Array.from(atob(content), (c) => c.charCodeAt(0)).buffer));
  }

  async add_font(face) {
    document.fonts.add(await face.load());
    this.root.classList.add("lettered");
    for (const side of this.sides) { side.furniture = null; }
    if (this.state) this.show({ ...this.state, again: true });
  }

  // the furniture ----------------------------------------------------------------------------------------------------

  build(root) {
    this.root = root;
    this.texts = [];
    const says = (element, key, attribute) => { this.texts.push([element, key, attribute]); return element; };
    const button = (key, onclick, attributes = {}) => says(make("button", { type: "button", onclick, ...attributes }), key);
    this.levers = new Levers(this.word, (path, value) => this.ask({ do: "set", path, value }));
    const live = (tag, name) => make(tag, { class: name, "aria-live": "polite" });

    this.choice = says(make("select", { class: "choice", onchange: () => { this.stop(); this.ask({ do: "open", which: Number(this.choice.value) }); } }), "choose", "aria-label");
    this.heading = make("h1", {});
    this.languages = {};
    for (const [code, name] of [["zh", "中文"], ["en", "EN"]]) {
      this.languages[code] = make("button", { type: "button", lang: code, "aria-pressed": "false", onclick: () => { this.stop(); this.ask({ do: "hello", lang: code }); } }, name);
    }
    const tongues = says(make("div", { class: "segments", role: "group" }, ...Object.values(this.languages)), "language", "aria-label");
    this.restore = button("restore", () => this.ask({ do: "restore" }), { class: "plain", disabled: true });
    const files = make("div", { class: "files" },
      button("save_yaml", () => this.ask({ do: "yaml" }), { class: "plain yaml" }),
      button("save_csv", () => this.ask({ do: "csv" }), { class: "plain csv" }));
    const aside = make("aside", {},
      make("header", {}, says(make("span", { class: "brand" }), "title"), tongues),
      this.choice, this.heading,
      make("div", { class: "levers-head" }, says(make("h2", {}), "levers"), this.restore),
      this.levers.element, files);

    this.play = make("button", { type: "button", class: "main play", onclick: () => this.go("play") });
    this.run = make("button", { type: "button", class: "run", onclick: () => this.go("run") });
    this.step = button("step", () => { this.stop(); this.ask({ do: "step", months: 1 }); this.ask({ do: "figures" }); }, { class: "step" });
    this.reset = button("reset", () => { this.stop(); this.ask({ do: "reset" }); }, { class: "reset" });
    this.paces = Object.fromEntries(Object.keys(SPEEDS).map((name) =>
      [name, button(`speed_${name}`, () => { this.speed = name; this.dress_buttons(); }, { "aria-pressed": "false" })]));
    const paces = says(make("div", { class: "segments", role: "group" }, ...Object.values(this.paces)), "speed", "aria-label");
    this.seed = says(make("input", { type: "text", inputmode: "numeric", class: "seed", onchange: () => this.sow(this.seed.value) }), "seed", "aria-label");
    const dice = says(button("dice", () => this.sow(String(1 + Math.floor(Math.random() * 9999))), { class: "dice" }), "dice_about", "title");
    const luck = make("label", { class: "luck" }, says(make("span", {}), "seed"), this.seed, dice);
    this.date = make("strong", { class: "date" });
    this.elapsed = make("span", { class: "elapsed" });
    this.bar = make("span", {});
    this.progress = says(make("div", { class: "progress", role: "progressbar", "aria-valuemin": 0 }, this.bar), "months_done", "aria-label");
    const transport = make("div", { class: "transport" },
      make("div", { class: "clock" }, this.date, this.elapsed, this.progress),
      make("div", { class: "buttons" }, this.play, this.step, this.run, this.reset), paces, luck);

    this.headline = live("p", "headline");
    this.sides = SIDES.map((name) => this.side(name, says));
    this.grain = make("span", { class: "grain" });
    this.seats = make("span", {});
    const key = (name, ...marks) => make("span", { class: "key" }, ...marks, says(make("span", {}), `legend.${name}`));
    const mark = (name) => make("i", { class: name });
    const legend = make("p", { class: "legend" }, make("span", { class: "key" }, mark("dot base"), mark("dot reform"), this.grain),
      key("queue", mark("dot queueing")), key("only", mark("dot only")), key("taken", mark("box taken")), key("free", mark("box")), this.seats);
    this.figures = {};
    this.waits = [];
    const figure = (name) => {
      const wait = says(make("p", { class: "wait" }), "figures_wait");
      this.waits.push(wait);
      this.figures[name] = make("img", { alt: "", hidden: true });
      return make("figure", {}, make("figcaption", {}, says(make("b", {}), name), says(make("span", {}), `${name}_axis`)), this.figures[name], wait);
    };
    this.caveat = make("p", { class: "caveat" });
    this.notice = make("p", { class: "notice", role: "status" });
    this.spoken = live("p", "spoken");
    const main = make("main", {}, transport, this.headline, make("div", { class: "exhibit" }, ...this.sides.map((s) => s.element)), legend,
      make("div", { class: "figures" }, figure("survival"), figure("sizes")), this.caveat, this.notice, this.spoken);

    this.life_name = make("h2", {});
    this.life_close = button("close", () => this.close_life(), { class: "plain" });
    this.life_text = make("div", { class: "told", tabindex: "0" });
    this.life = says(make("div", { class: "life", role: "dialog", hidden: true }, make("header", {}, this.life_name, this.life_close), this.life_text), "life_of", "aria-label");
    root.append(aside, main, this.life);
    root.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.close_life();
    });
    this.seen = new ResizeObserver(() => this.measure());
    for (const side of this.sides) this.seen.observe(side.stand);
  }

  side(name, says) {
    const chain = new Chain(this.word, (uid) => this.choose(uid), (uid, aloud) => this.point(uid, aloud));
    const numbers = {};
    const figure = (key) => {
      const big = make("b", {});
      const small = make("small", {});
      numbers[key] = [big, small];
      return make("div", { class: `figure ${key}` }, says(make("span", {}), key), make("div", {}, big, small));
    };
    const figures = ["living", "arrived", "closed", "waiting", "spent"].map(figure);
    const stand = make("div", { class: "stand" }, chain.svg);
    const head = make("header", {}, make("h2", {}, make("i", { class: `dot ${name}` }), says(make("span", {}), name)), make("div", { class: "numbers" }, ...figures));
    return { element: make("section", { class: `side ${name}` }, head, stand), chain, numbers, stand };
  }

  measure() {
    for (const side of this.sides) side.chain.resize(side.stand.clientWidth, side.stand.clientHeight);
  }

  // Whoever is pointed at is marked on both sides, as long as nobody's life is open.
  point(uid, aloud = false) {
    if (!this.life.hidden) return;
    for (const side of this.sides) side.chain.mark(uid);
    if (aloud) this.spoken.textContent = this.word("marked", { uid });
  }

  sow(seed) {
    this.stop();
    const number = Number(seed);
    if (Number.isInteger(number) && number >= 0 && number <= Number.MAX_SAFE_INTEGER) this.ask({ do: "seed", seed: number });
    else this.complain(this.word("bad_seed"));
  }

  dress_buttons() {
    this.play.textContent = this.playing === "play" ? this.word("pause") : this.word("play");
    this.run.textContent = this.playing === "run" ? this.word("pause") : this.word("run");
    for (const [name, button] of Object.entries(this.paces)) button.setAttribute("aria-pressed", String(name === this.speed));
    const over = Boolean(this.state?.ended);
    for (const button of [this.play, this.step, this.run]) button.disabled = over;
  }

  remove() {
    clearTimeout(this.next);
    this.seen.disconnect();
  }
}

const SIDES = ["base", "reform"];

export function render({ model, el }) {
  const style = document.createElement("style");
  style.textContent = STYLE;
  const root = make("div", { class: model.data.fill ? "sim fill" : "sim" });
  if (model.data.fill) document.body.style.margin = "0";
  el.append(style, root);
  const page = new Page(model, root);
  model.on("lifecycle:remove", () => page.remove());
}
