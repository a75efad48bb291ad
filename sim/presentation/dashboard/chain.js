// The chain of one side as a drawing: rooms with seats, a queue before each door, and founders as dots that walk.
// A dot keeps its seat until its founder leaves, so that nobody moves who did not move in the model.

const SVG = "http://www.w3.org/2000/svg";

function draw(tag, attributes = {}, ...kids) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...kids);
  return made;
}

// The next number of 1, 2, 5, 10, 20, ... from `least` on.
function round_up(least) {
  for (let power = 1; ; power *= 10) {
    for (const m of [1, 2, 5]) if (m * power >= least) return m * power;
  }
}

// How far apart `count` things may stand in a box, at most `most`.
function widest(box, count, most) {
  const n = Math.max(count, 1);
  let pitch = Math.min(most, Math.sqrt((box.w * box.h) / n), box.w, box.h);
  while (pitch > 1 && Math.floor(box.w / pitch) * Math.floor(box.h / pitch) < n) pitch *= 0.985;
  return pitch;
}

// Places for `count` things in a box, `pitch` apart; from the lower left corner up, row by row. `spread`: in an order that
// fills the box evenly from the start.
function lattice(box, count, pitch, spread = false) {
  const n = Math.max(count, 1);
  const columns = Math.max(1, Math.floor(box.w / pitch));
  const rows = Math.max(1, Math.floor(box.h / pitch));
  const left = box.x + (box.w - Math.min(columns, spread ? columns : n) * pitch) / 2;
  const all = spread ? columns * rows : n;
  const order = Array.from({ length: all }, (_, i) => i);
  if (spread) shuffle(order);
  const spots = order.map((at) => ({
    x: left + ((at % columns) + 0.5) * pitch,
    y: box.y + box.h - (Math.floor(at / columns) + 0.5) * pitch,
  }));
  return new Ground(spots, pitch);
}

// Fisher and Yates, with the same luck each time (a linear congruence).
function shuffle(order) {
  let luck = 1;
  for (let i = order.length - 1; i > 0; i--) {
    luck = (luck * 48271) % 2147483647;
    const j = luck % (i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
}

// Where dots may stand: the lowest free spot is taken first; beyond the last they crowd the spots again.
class Ground {
  constructor(spots, pitch) {
    this.spots = spots;
    this.pitch = pitch;
    this.taken = new Map();
    this.free = 0;
  }

  enter(uid) {
    let spot = this.free;
    while (this.taken.has(spot)) spot += 1;
    this.taken.set(spot, uid);
    this.free = spot + 1;
    return spot;
  }

  leave(spot) {
    this.taken.delete(spot);
    this.free = Math.min(this.free, spot);
  }

  at(spot) {
    return this.spots[spot % this.spots.length];
  }
}

class Chain {
  // `pick(uid)` is called for the founder who is clicked, `point(uid, aloud)` for the one who is pointed at (null: nobody),
  // aloud if it was by a key.
  constructor(word, pick, point) {
    this.word = word;
    this.pick = pick;
    this.point = point;
    this.svg = draw("svg", { tabindex: "0", role: "group", class: "chain" });
    this.rooms = draw("g", { "aria-hidden": "true" });
    this.dots = draw("g", { class: "dots", "aria-hidden": "true" });
    this.ring = draw("circle", { class: "ring", r: 9, visibility: "hidden" });
    this.svg.append(this.rooms, this.dots, this.ring);
    this.people = new Map(); // uid -> {dot, ground, spot, x, y}
    this.size = { w: 0, h: 0 };
    this.chosen = null;
    this.svg.addEventListener("click", (e) => { const uid = this.nearest(e); if (uid !== null) { this.mark(uid); pick(uid); } });
    this.svg.addEventListener("pointermove", (e) => point(this.nearest(e)));
    this.svg.addEventListener("pointerleave", () => point(null));
    this.svg.addEventListener("keydown", (e) => this.key(e));
  }

  // What the rooms hold decides their size; the month's numbers come with `show`.
  furnish(stages, state) {
    this.stages = stages;
    this.room = state.room;
    this.grain = state.grain;
    this.capacity = state.capacity;
    this.largest = state.largest; // of each stage on both sides: a seat is as large on one as on the other
    this.layout();
  }

  resize(w, h) {
    if (Math.abs(w - this.size.w) < 2 && Math.abs(h - this.size.h) < 2) return;
    this.size = { w, h };
    this.svg.setAttribute("viewBox", `0 0 ${w} ${h}`);
    if (this.stages) {
      this.layout();
      if (this.last) this.show(this.last, 0);
    }
  }

  layout() {
    const { w, h } = this.size;
    if (!w || !this.stages) return;
    const n = this.stages.length;
    const large = h > 300;
    const head = large ? 56 : 42;
    const foot = large ? 54 : 30;
    this.large = large;
    const gap = Math.min(Math.max(w * 0.055, 26), 92) * (n > 6 ? 0.6 : 1);
    const weights = this.capacity.map((places, i) => (places >= 0 ? 1 : i ? 1.4 : large ? 2.3 : 2.7));
    const margin = large ? 24 : 12;
    this.margin = margin;
    const unit = (w - gap * (n - 1) - 2 * margin) / weights.reduce((a, b) => a + b, 0);
    const body = h - head - foot - 12;
    this.rooms.replaceChildren();
    this.labels = [];
    this.wide = []; // how wide the writing above a room may be
    this.rooms_at = [];
    this.seats = [];
    this.grounds = [];
    this.queues = [];
    const limited = this.largest.filter((places) => places > 0);
    this.each = round_up(Math.max(1, ...limited) / 120);
    const inner = { w: unit - 12, h: body - 12 };
    this.pitch = Math.min(...limited.map((places) => widest(inner, Math.ceil(places / this.each), large ? 34 : 26)), inner.w / (large ? 3 : 2));
    let x = margin;
    for (let i = 0; i < n; i++) {
      const width = unit * weights[i];
      const box = { x, y: head, w: width, h: body };
      this.furnish_room(i, box, gap, large);
      if (i) this.furnish_queue(i, { x: x - gap + 3, y: head + 16, w: gap - 9, h: body - 18 }, large);
      x += width + gap;
    }
    this.furnish_shelf({ h, foot, left: this.rooms_at[1] ?? w / 2, right: w - margin }, large);
    this.gate = { x: -8, y: head + body * 0.7 };
    for (const [uid, person] of this.people) {
      person.ground = null;
      if (person.gone) { person.dot.remove(); this.people.delete(uid); }
    }
  }

  furnish_room(i, box, gap, large) {
    this.rooms_at.push(box.x);
    const places = this.capacity[i];
    const door = Math.min(26, box.h * 0.3);
    const { x, y, w, h } = box;
    const wall = `M${x} ${y + h - door} V${y} H${x + w} V${y + h} H${x} V${y + h - 2}`;
    const name = draw("text", { x: x + w / 2, y: large ? 20 : 15, class: "stage" }, this.stages[i]);
    const count = draw("text", { x: x + w / 2, y: large ? 44 : 35, class: "count" });
    this.rooms.append(draw("rect", { x, y, width: w, height: h, class: "floor" }), draw("path", { d: wall, class: "wall" }), name, count);
    this.labels.push(count);
    this.wide.push(i === this.stages.length - 1 ? w + 2 * this.margin - 2 : i ? w + gap - 10 : w);
    this.fit(name, this.wide[i]);
    const inner = { x: x + 6, y: y + 6, w: w - 12, h: h - 12 };
    if (places < 0) {
      const count = Math.max(this.room * (i ? 0.5 : 1), 12);
      this.grounds.push(lattice(inner, count, widest(inner, count, 26), true));
      this.seats.push(null);
      return;
    }
    const cells = Math.ceil(places / this.each);
    const ground = lattice(inner, cells, this.pitch);
    const side = this.pitch * 0.82;
    const seats = ground.spots.slice(0, cells).map((s) => draw("rect", {
      x: s.x - side / 2, y: s.y - side / 2, width: side, height: side, rx: side * 0.22, class: "seat",
    }));
    this.rooms.append(...seats);
    this.grounds.push(ground);
    this.seats.push(seats);
  }

  furnish_queue(i, box, large) {
    const count = draw("text", { x: box.x + box.w / 2, y: box.y + box.h, class: "waiting" });
    this.rooms.append(count);
    const most = Math.min(Math.max(this.room * 0.12, 24), (box.w * box.h) / 16);
    this.queues[i] = { ground: lattice(box, most, widest(box, most, large ? 18 : 13)), count, floor: box.y + box.h };
  }

  furnish_shelf({ h, foot, left, right }, large) {
    const y = h - foot;
    const shelf = { x: left, y, w: right - left, h: foot - 4 };
    const label = draw("text", { x: shelf.x + 8, y: y + (foot - 4) / 2 + 5, class: "shelf" }, this.word("outside"));
    const count = draw("text", { x: shelf.x + shelf.w - 8, y: y + (foot - 4) / 2 + 5, class: "shelf number" });
    this.rooms.append(draw("rect", { x: shelf.x, y, width: shelf.w, height: shelf.h, rx: 4, class: "outside" }), label, count);
    this.outside = count;
    const said = Math.min(label.getComputedTextLength?.() || 120, shelf.w * 0.5);
    const box = { x: shelf.x + said + 22, y: y + 3, w: shelf.w - said - 80, h: shelf.h - 6 };
    const most = Math.max(this.room * 0.06, 20);
    this.grounds.push(lattice(box, most, widest(box, most, large ? 18 : 13)));
    const lines = large ? [16, 33, 50] : [(foot - 4) / 2 + 5];
    this.closed = lines.map((down) => draw("text", { x: this.margin, y: y + down, class: "shelf reason" }));
    this.rooms.append(...this.closed);
    this.closed_width = left - 16;
  }

  // A name that is wider than its room is written smaller, down to two thirds; then it is cut.
  fit(label, width) {
    const full = label.getComputedTextLength?.() || 0;
    if (full <= width || !full) return;
    const size = parseFloat(getComputedStyle(label).fontSize) || 15;
    label.style.fontSize = `${Math.max(size * 0.66, (size * width) / full)}px`;
    while (label.getComputedTextLength() > width + 8 && label.textContent.length > 4) {
      label.textContent = `${label.textContent.slice(0, -2)}…`;
    }
  }

  // The month's state of this side. `ms`: how long the walk takes; 0 sets everybody down at once.
  show(side, ms) {
    this.last = side;
    if (!this.size.w || !this.stages) return;
    const queueing = new Map(side.queue);
    const only = new Set(side.only);
    const gone = new Set(side.gone.map(([uid]) => uid));
    const bound = new Map(); // uid -> ground
    side.here.forEach((uids, place) => uids.forEach((uid) => {
      bound.set(uid, this.queues[queueing.get(uid)]?.ground ?? this.grounds[place]);
    }));
    this.dots.style.setProperty("--walk", `${ms}ms`);
    // whoever leaves a spot leaves it before others look for one
    for (const [uid, person] of this.people) {
      if (person.gone) continue;
      if (!bound.has(uid)) this.dismiss(uid, person, gone.has(uid), ms);
      else if (person.ground && person.ground !== bound.get(uid)) { person.ground.leave(person.spot); person.ground = null; }
    }
    for (const [uid, ground] of bound) {
      this.put(uid, ground, ms);
      const classes = (queueing.has(uid) ? "queueing" : "") + (only.has(uid) ? " only" : "");
      const dot = this.people.get(uid).dot;
      if (dot.getAttribute("class") !== classes) dot.setAttribute("class", classes);
    }
    this.count(side);
    this.follow();
  }

  put(uid, ground, ms) {
    let person = this.people.get(uid);
    if (person?.gone) { person.dot.remove(); person = undefined; }
    const fresh = !person;
    if (fresh) {
      person = { dot: draw("circle", { r: 1, "data-uid": uid }), ground: null };
      this.people.set(uid, person);
      this.dots.append(person.dot);
    }
    if (person.ground === ground) return;
    person.ground = ground;
    person.spot = ground.enter(uid);
    const { x, y } = ground.at(person.spot);
    const r = Math.min(ground.pitch * 0.36, 8.5);
    if (fresh && ms) {
      person.dot.style.transform = `translate(${this.gate.x}px, ${this.gate.y}px) scale(${r})`;
      person.dot.style.transitionDelay = `${Math.random() * ms * 0.3}ms`;
      person.dot.getBoundingClientRect(); // settle at the gate before the walk begins
    }
    Object.assign(person, { x, y, r });
    person.dot.style.transform = `translate(${x}px, ${y}px) scale(${r})`;
  }

  dismiss(uid, person, closed, ms) {
    if (person.ground) person.ground.leave(person.spot);
    person.gone = true;
    if (!ms) { person.dot.remove(); this.people.delete(uid); return; }
    person.dot.setAttribute("class", closed ? "closing" : "fading");
    if (closed) person.dot.style.transform = `translate(${person.x}px, ${this.size.h - 12}px) scale(${Math.max(person.r, 3)})`;
    setTimeout(() => {
      person.dot.remove();
      if (this.people.get(uid) === person) this.people.delete(uid);
    }, ms * 1.4);
  }

  count(side) {
    side.stages.forEach((stage, i) => {
      const living = stage.living.toLocaleString("en");
      this.labels[i].textContent = stage.places < 0 ? living : `${living} / ${stage.places.toLocaleString("en")}`;
      this.labels[i].style.fontSize = "";
      this.fit(this.labels[i], this.wide[i]);
      if (this.queues[i]) this.count_queue(this.queues[i], stage.waiting);
      if (this.seats[i]) this.occupy(i, stage.living);
    });
    this.outside.textContent = side.outside.toLocaleString("en");
    const why = side.numbers.why.map((said, i) => (i ? said : `${this.word("closed")}${this.word("colon")}${said}`));
    this.closed.forEach((line, i) => {
      line.style.fontSize = "";
      line.textContent = this.large ? why[i] ?? "" : why.join(" · ");
      this.fit(line, this.closed_width);
    });
    const told = side.stages.map((s, i) => this.word("stage_is", {
      stage: this.stages[i], living: s.living, places: s.places < 0 ? "–" : s.places, waiting: s.waiting,
    }));
    this.svg.setAttribute("aria-label", `${told.join(this.word("pause_between"))} ${this.word("keys")}`);
  }

  // How many queue, written above the last of them.
  count_queue({ ground, count, floor }, waiting) {
    const top = Math.min(floor, ...[...ground.taken.keys()].map((spot) => ground.at(spot).y - ground.pitch / 2));
    count.setAttribute("y", top - 6);
    count.textContent = waiting ? waiting.toLocaleString("en") : "";
  }

  // As many seats are taken as are in the model: those with a dot on them, then the first of the others.
  occupy(i, living) {
    const seats = this.seats[i];
    const ground = this.grounds[i];
    const there = Math.min(ground.taken.size, seats.length);
    let rest = Math.min(living ? Math.max(Math.round(living / this.each), 1) : 0, seats.length) - there;
    seats.forEach((seat, at) => {
      const dot = ground.taken.has(at);
      const taken = dot || rest > 0;
      if (!dot && taken) rest -= 1;
      const name = taken ? "seat taken" : "seat";
      if (seat.getAttribute("class") !== name) seat.setAttribute("class", name);
    });
  }

  clear() {
    this.people.clear();
    this.dots.replaceChildren();
    this.mark(null);
    this.layout();
  }

  // pointing and keys ------------------------------------------------------------------------------------------------

  nearest(event) {
    const box = this.svg.getBoundingClientRect();
    const x = ((event.clientX - box.left) * this.size.w) / box.width;
    const y = ((event.clientY - box.top) * this.size.h) / box.height;
    let found = null;
    let least = 14;
    for (const [uid, p] of this.people) {
      const far = Math.hypot(p.x - x, p.y - y) - (p.r || 0);
      if (!p.gone && far < least) { least = far; found = uid; }
    }
    return found;
  }

  key(event) {
    const along = { ArrowRight: 1, ArrowDown: 10, ArrowLeft: -1, ArrowUp: -10 }[event.key];
    if (along) {
      const order = [...this.people].filter(([, p]) => !p.gone).sort(([, a], [, b]) => a.x - b.x || b.y - a.y).map(([uid]) => uid);
      const at = order.indexOf(this.chosen);
      if (order.length) this.point(order[at < 0 ? 0 : (at + along + order.length) % order.length], true);
    } else if ((event.key === "Enter" || event.key === " ") && this.people.has(this.chosen)) {
      this.pick(this.chosen);
    } else return;
    event.preventDefault();
  }

  mark(uid) {
    this.chosen = uid;
    this.follow();
  }

  follow() {
    const person = this.people.get(this.chosen);
    const there = person && !person.gone;
    this.ring.setAttribute("visibility", there ? "visible" : "hidden");
    if (there) this.ring.style.transform = `translate(${person.x}px, ${person.y}px)`;
  }
}
