// What every view uses: elements from data, tables that keep their rows, bars, numbers in words. Names are data: never markup.
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") for (const [event, act] of Object.entries(value)) element.addEventListener(event, act);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
export const safe = (text) => String(text).replace(CONTROLS, "\ufffd");

export function say(element, text) {
  const told = safe(text);
  if (element.textContent !== told) element.textContent = told;
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
export function size(bytes) {
  if (bytes === null || bytes === undefined) return "unknown";
  let place = 0;
  let left = bytes;
  while (left >= 1024 && place < UNITS.length - 1) { left /= 1024; place += 1; }
  return `${place ? left.toFixed(1) : Math.round(left)} ${UNITS[place]}`;
}
export const rate = (bytes) => (bytes ? `${size(bytes)}/s` : "");
export const percent = (fraction) => `${Math.floor(fraction * 100)} %`;
export function span(seconds) {
  if (seconds === null || seconds === undefined) return "";
  const whole = Math.round(seconds);
  if (whole < 90) return `${whole} s`;
  if (whole < 5400) return `${Math.round(whole / 60)} min`;
  if (whole < 172800) return `${Math.round(whole / 3600)} h`;
  return `${Math.round(whole / 86400)} d`;
}
export const clock = (unix) => (unix ? new Date(unix * 1000).toLocaleTimeString() : "");
// The colour of a word for how a loop, a worker or an account is, the same in every view.
const BAD = ["parked", "stuck", "not looking", "not begun", "no worker"];
const WARN = ["paused", "restarting", "stopping"];
export const standing = (word) => (BAD.includes(word) ? "bad" : WARN.includes(word) ? "warn" : "");

// Texts that somebody else has said, one after the other: without their own full stops in the middle.
const clause = (said) => (said.endsWith("...") ? said : said.replace(/[.:;,]+$/, ""));
export const clauses = (all) => all.map((each) => String(each ?? "").trimEnd()).filter(Boolean).map((each, place, those) => (place < those.length - 1 ? clause(each) : each)).join("; ");
// In groups of three digits, as the terminal shows it.
export const whole = (count) => count.toLocaleString("en-US");
export const counted = (count, noun, many = `${noun}s`) => `${whole(count)} ${count === 1 ? noun : many}`;

export function bar(fraction, label) {
  const fill = h("span");
  const element = h("div", { class: "bar", role: "progressbar", "aria-valuemin": 0, "aria-valuemax": 100, "aria-label": label }, fill);
  fillBar(element, fraction);
  return element;
}
export function fillBar(element, fraction) {
  const part = Math.max(0, Math.min(1, fraction)) * 100;
  element.firstChild.style.width = `${part}%`;
  element.setAttribute("aria-valuenow", Math.floor(part));
}
export function mark(element, fraction, title) {
  const line = h("i", { title });
  line.style.left = `${Math.max(0, Math.min(1, fraction)) * 100}%`;
  element.append(line);
}

// What the words mean, as the terminal says it: by the word, and of the view that is being made.
const meanings = new Map();
export function learn(words) {
  meanings.clear();
  for (const [word, means] of words) meanings.set(word.toLowerCase(), means);
}
export const meaning = (word) => meanings.get(word.toLowerCase());
export const explained = (word) => h("p", { class: "dim means" }, meaning(word));

// A table whose rows stay while their torrents do, so that focus and selection stay too.
export function table(columns, caption) {
  const body = h("tbody");
  const heads = columns.map((column) => h("th", { scope: "col", class: column.kind, title: meaning(column.name) }, column.name));
  const element = h("div", { class: "table", tabindex: 0, role: "region", "aria-label": caption }, h("table", { "aria-label": caption }, h("thead", {}, h("tr", {}, heads)), body));
  const known = new Map();
  function draw(items, key) {
    const seen = new Set();
    let place = null;
    for (const item of items) {
      const id = key(item);
      seen.add(id);
      let row = known.get(id);
      if (!row) {
        const cells = columns.map((column) => h("td", { class: column.kind, "data-label": column.name }));
        row = { element: h("tr", {}, cells), cells };
        known.set(id, row);
      }
      columns.forEach((column, number) => {
        const cell = row.cells[number];
        if (column.text) say(cell, column.text(item));
        if (column.draw) column.draw(cell, item);
        if (column.tone) cell.className = `${column.kind || ""} ${column.tone(item)}`;
      });
      const next = place ? place.nextSibling : body.firstChild;
      if (next !== row.element) body.insertBefore(row.element, next);
      place = row.element;
    }
    for (const [id, row] of known) if (!seen.has(id)) { row.element.remove(); known.delete(id); }
    element.hidden = known.size === 0;
  }
  return { element, draw };
}

export const barColumn = (name, fraction, label) => ({
  name,
  draw(cell, item) {
    if (!cell.firstChild) cell.append(bar(0, ""));
    fillBar(cell.firstChild, fraction(item));
    cell.firstChild.setAttribute("aria-label", safe(label(item)));
  },
});

// Buttons are made anew only where other ones make sense.
export const actsColumn = (acts, label) => ({
  name: "Do",
  kind: "acts",
  draw(cell, item) {
    const wanted = acts(item);
    const names = wanted.map((each) => each.name).join("|");
    cell.item = item;
    if (cell.dataset.names === names) return;
    cell.dataset.names = names;
    cell.replaceChildren(...wanted.map((each) => h("button", { type: "button", "aria-label": `${each.name}: ${safe(label(item))}`, on: { click: () => each.act(cell.item) } }, each.name)));
  },
});

const SVG = "http://www.w3.org/2000/svg";
export function graph(label) {
  const element = document.createElementNS(SVG, "svg");
  element.setAttribute("class", "graph");
  element.setAttribute("viewBox", "0 0 120 40");
  element.setAttribute("preserveAspectRatio", "none");
  element.setAttribute("role", "img");
  element.setAttribute("aria-label", label);
  const line = document.createElementNS(SVG, "polyline");
  element.append(line);
  function draw(samples) {
    const shown = samples.slice(-120);
    const most = Math.max(1, ...shown);
    line.setAttribute("points", shown.map((each, at) => `${120 - shown.length + at},${(39 - (each / most) * 38).toFixed(1)}`).join(" "));
  }
  return { element, draw };
}
