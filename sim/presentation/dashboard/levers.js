// The levers: sections that open, a slider and a number for each, where it comes from, and the way back to the base.

function make(tag, attributes = {}, ...kids) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...kids.filter((kid) => kid !== null && kid !== undefined));
  return made;
}

const STEPS = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10 };
const RESTED = 250; // milliseconds after the last key
const OPEN_AT_FIRST = [1, 2]; // sections: on a small screen, on one that has room for them

class Levers {
  // `moved(path, value)` is called when a visitor lets go of a lever; null is back to the base.
  constructor(word, moved) {
    this.word = word;
    this.moved = moved;
    this.list = make("div", { class: "sections" });
    this.search = make("input", { type: "search", class: "search", oninput: () => this.filter() });
    this.element = make("div", { class: "levers" }, this.search, this.list);
  }

  furnish(sections) {
    this.rows = new Map();
    this.search.value = "";
    this.search.placeholder = this.word("search");
    this.search.setAttribute("aria-label", this.word("search"));
    const open = OPEN_AT_FIRST[this.element.clientHeight > 700 ? 1 : 0];
    this.sections = sections.map((section, at) => this.section(section, at < open));
    this.list.replaceChildren(...this.sections.map((s) => s.element));
  }

  section(section, open) {
    const moved = make("span", { class: "moved" });
    const switched = section.switch ? this.toggle(section) : null;
    const summary = make("summary", {}, make("span", { class: "section-name" }, section.title), moved);
    const rows = section.levers.map((lever) => this.row(lever));
    const further = section.levers.filter((l) => !l.main).length;
    const more = further ? make("button", { type: "button", class: "more", "aria-expanded": "false" }) : null;
    const body = make("div", { class: "rows" }, ...rows.map((r) => r.element), more);
    const details = make("details", { open }, summary, body);
    const element = make("div", { class: switched ? "section switched" : "section" }, details, switched?.element);
    const made = { element, details, moved, rows, more, further, all: section.levers.every((l) => !l.main) && !section.switch };
    if (more) more.addEventListener("click", () => { made.all = !made.all; this.filter(); });
    for (const row of rows) this.rows.set(row.lever.path, row);
    if (switched) this.rows.set(section.switch.path, switched);
    made.paths = [...rows.map((r) => r.lever.path), ...(section.switch ? [section.switch.path] : [])];
    this.dress(made);
    return made;
  }

  toggle(section) {
    const { path, value } = section.switch;
    const box = make("input", { type: "checkbox", role: "switch", "aria-label": `${section.title}: ${this.word("in_force")}`, "data-path": path });
    box.checked = value;
    box.addEventListener("change", () => this.moved(path, box.checked === value ? null : box.checked));
    const element = make("label", { class: "switch", title: this.word("in_force") }, box, make("span", {}));
    return { element, set: (now) => { box.checked = now ?? value; }, moved: (now) => now !== undefined && now !== value };
  }

  row(lever) {
    const id = `lever-${lever.path.replaceAll(".", "-")}`;
    const number = make("input", { type: "text", inputmode: "decimal", class: "number", "aria-label": `${lever.name} (${lever.unit})`, "data-path": lever.path });
    const slider = make("input", {
      type: "range", id, min: lever.low, max: lever.high, step: "any", "data-path": lever.path,
      "aria-label": [lever.name, lever.unit].filter(Boolean).join(", "),
    });
    const back = make("button", { type: "button", class: "back", title: this.word("back"), "aria-label": `${lever.name}: ${this.word("back")}` }, "↺");
    const why = make("div", { class: "why", hidden: true }, ...lever.behind.map((line) => make("p", {}, line)));
    const tag = make("button", { type: "button", class: `tag ${lever.status}`, "aria-expanded": "false", title: this.word("behind") }, lever.said);
    tag.addEventListener("click", () => { why.hidden = !why.hidden; tag.setAttribute("aria-expanded", String(!why.hidden)); });
    const part = (value) => (100 * (Math.min(Math.max(value, lever.low), lever.high) - lever.low)) / (lever.high - lever.low || 1);
    const [from, to] = (lever.range ?? [lever.low, lever.low]).map(part);
    slider.style.setProperty("--from", `${from}%`);
    slider.style.setProperty("--to", `${to}%`);
    slider.style.setProperty("--mark", part(lever.value));
    const write = (value) => {
      number.value = (value / lever.by).toLocaleString("en", { maximumFractionDigits: Math.max(lever.digits, 2) });
      slider.setAttribute("aria-valuetext", `${number.value} ${lever.unit}`);
      slider.style.setProperty("--now", `${part(value)}%`);
    };
    const snapped = () => {
      const value = Number(slider.value);
      if (Math.abs(value - lever.value) < (lever.high - lever.low) / 100) return lever.value;
      const stepped = Math.round(value / lever.step) * lever.step;
      return Math.min(Math.max(Number(stepped.toPrecision(12)), lever.low), lever.high);
    };
    const send = (value) => this.moved(lever.path, value === lever.value ? null : value);
    slider.addEventListener("input", () => write(snapped()));
    slider.addEventListener("change", () => send(snapped()));
    const hold = (held) => element.classList.toggle("held", held);
    let rest = null;
    slider.addEventListener("keydown", (event) => { // one step of the lever for each key; where they rest is sent
      const along = STEPS[event.key];
      if (!along) return;
      event.preventDefault();
      const value = Number((Number(slider.value) + along * lever.step).toPrecision(12));
      slider.value = Math.min(Math.max(value, lever.low), lever.high);
      write(Number(slider.value));
      hold(true);
      clearTimeout(rest);
      rest = setTimeout(() => { hold(false); if (element.isConnected) send(Number(slider.value)); }, RESTED);
    });
    number.addEventListener("input", () => hold(true));
    number.addEventListener("blur", () => {
      if (!element.classList.contains("held")) return;
      hold(false);
      this.set_one(lever.path);
    });
    number.addEventListener("change", () => {
      hold(false);
      const typed = Number(number.value.replace(/[,\s]/g, ""));
      if (number.value.trim() && Number.isFinite(typed)) send(typed * lever.by === lever.value ? lever.value : Number((typed * lever.by).toPrecision(12)));
      else this.set_one(lever.path);
    });
    back.addEventListener("click", () => {
      clearTimeout(rest);
      hold(false);
      this.moved(lever.path, null);
    });
    const name = make("label", { class: "name", for: id, title: `${lever.about}\n${lever.path}` },
      make("span", {}, lever.name), make("span", { class: "unit" }, lever.unit));
    const element = make("div", { class: "lever" }, name, back, tag, slider, number, why);
    const set = (now) => {
      if (element.classList.contains("held") || slider.matches(":active")) return; // the visitor's hand is on it
      const value = now ?? lever.value;
      slider.value = value;
      write(value);
      element.classList.toggle("changed", now !== undefined && now !== lever.value);
    };
    set(undefined);
    return { lever, element, set, moved: (now) => now !== undefined && now !== lever.value };
  }

  // What the reform's levers say, by path; the others are as in the base.
  set(values) {
    this.values = values;
    for (const path of this.rows.keys()) this.set_one(path);
    for (const section of this.sections) {
      const moved = section.paths.filter((path) => this.rows.get(path).moved(values[path])).length;
      section.moved.textContent = moved ? String(moved) : "";
    }
    this.filter();
  }

  set_one(path) {
    this.rows.get(path).set(this.values?.[path]);
  }

  // Show what is looked for; else the main levers, all of a section that was asked for, and whatever was moved.
  filter() {
    const wanted = this.search.value.trim().toLowerCase();
    for (const section of this.sections) this.dress(section, wanted);
  }

  dress(section, wanted = "") {
    let found = 0;
    for (const row of section.rows) {
      const { lever } = row;
      const text = `${lever.name} ${lever.about} ${lever.path}`.toLowerCase();
      const shown = wanted ? text.includes(wanted) : section.all || lever.main || row.moved(this.values?.[lever.path]);
      row.element.hidden = !shown;
      found += shown;
    }
    section.element.hidden = Boolean(wanted) && !found;
    if (wanted && found) section.details.open = true;
    if (section.more) {
      section.more.hidden = Boolean(wanted) || section.rows.every((r) => !r.lever.main);
      section.more.textContent = section.all ? this.word("fewer") : this.word("more", { count: section.further });
      section.more.setAttribute("aria-expanded", String(section.all));
    }
  }
}
