// The log of all duties, as it comes.
import { clock, h, safe } from "../kit.js";

export const title = "Log";
const KEPT = 2000;
const TONES = { WARN: "warn", ERROR: "bad", DEBUG: "dim" };

export function make(house) {
  const lines = h("pre", { id: "lines", tabindex: 0, "aria-label": "Log lines" });
  const level = h("select", { "aria-label": "Lowest level" }, ["DEBUG", "INFO", "WARN", "ERROR"].map((each) => h("option", { selected: each === "INFO" }, each)));
  const element = h("div", {}, h("h2", {}, "Log"), h("div", { class: "row" }, h("label", {}, "Lowest level ", level)), lines);
  let after = 0;
  let stopped = null;
  function add(line) {
    after = Math.max(after, line.number);
    const follows = lines.scrollHeight - lines.scrollTop - lines.clientHeight < 40;
    lines.append(h("span", { class: TONES[line.level] || "" }, `${clock(line.at)} ${line.level.padEnd(5)} ${line.torrent ? `${line.torrent.slice(0, 8)} ` : ""}${safe(line.text)}\n`));
    while (lines.childElementCount > KEPT) lines.firstChild.remove();
    if (follows) lines.scrollTop = lines.scrollHeight;
  }
  function open() {
    stopped?.abort();
    stopped = new AbortController();
    house.stream(() => `/logs/stream?after=${after}&level=${level.value}`, (name, data) => name === "line" && add(data), stopped.signal);
  }
  level.addEventListener("change", () => { after = 0; lines.replaceChildren(); open(); });
  return { element, draw() {}, shown: open, hidden() { stopped?.abort(); } };
}
