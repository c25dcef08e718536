// The moves: what is brought, what waits and why, and what can be done about it.
import { actsColumn, barColumn, counted, graph, h, percent, rate, say, size, span, table } from "../kit.js";

export const title = "Moves";

export function make(house) {
  const on = (move, act, said) => house.order(`/moves/${move.id}/${act}`, said);
  const words = (move) => (move.standing === "active" ? move.doing : move.why) || move.standing;
  const columns = [
    { name: "Torrent", kind: "name", text: (move) => move.name },
    { name: "Route", text: (move) => move.route },
    { name: "Size", kind: "number", text: (move) => size(move.size) },
    barColumn("Done", (move) => move.fraction, (move) => `${move.name}: ${percent(move.fraction)}`),
    { name: "%", kind: "number", text: (move) => percent(move.fraction) },
    { name: "Rate", kind: "number", text: (move) => rate(move.rate) },
    { name: "Left", kind: "number", text: (move) => (move.eta === null ? "" : `${move.eta_is_guess ? "~" : ""}${span(move.eta)}`) },
    { name: "State", text: (move) => (move.trouble ? `${words(move)}: ${move.trouble.what} ${move.trouble.remedy} [${move.trouble.code}]` : words(move)), tone: (move) => (move.standing === "failed" ? "bad" : move.trouble ? "warn" : "") },
    actsColumn((move) => {
      const acts = [];
      if (move.standing === "paused") acts.push({ name: "Resume", act: (one) => on(one, "resume", "It goes on.") });
      else if (["active", "queued", "retry"].includes(move.standing)) acts.push({ name: "Pause", act: (one) => on(one, "pause", "It is paused.") });
      if (["failed", "retry"].includes(move.standing)) acts.push({ name: "Retry", act: (one) => on(one, "retry", "It is tried again.") });
      if (["active", "queued", "retry", "paused"].includes(move.standing)) {
        acts.push({ name: "Skip", act: (one) => on(one, "skip", "It is left for a later run.") });
        acts.push({ name: "Cancel", act: async (one) => {
          if (await house.ask(`Leave ${one.name}, and remove what arrived? The source goes on seeding.`, "Cancel it")) on(one, "cancel", "It is cancelled.");
        } });
      }
      if (move.standing === "failed") acts.push({ name: "Handled", act: (one) => on(one, "dismiss", "It is marked as handled.") });
      return acts;
    }, (move) => move.name),
  ];
  const phase = h("p", { class: "big" });
  const told = h("p", { class: "dim" });
  const filter = h("input", { type: "search", placeholder: "filter", "aria-label": "Show only moves whose name, route or state has this", id: "filter" });
  const limit = h("input", { size: 8, placeholder: "5M, off", "aria-label": "Bandwidth of all moves together: 5M, off, pause, config" });
  const pause = h("button", { type: "button" }, "Pause all");
  const incoming = graph("Bytes a second into this machine, the last two minutes");
  const outgoing = graph("Bytes a second out of this machine, the last two minutes");
  const inNow = h("span", { class: "number" });
  const outNow = h("span", { class: "number" });
  const moves = table(columns, "Moves");
  const left = table([
    { name: "Left alone", kind: "name", text: (one) => one.name },
    { name: "Size", kind: "number", text: (one) => size(one.size) },
    { name: "Why", text: (one) => one.reason },
  ], "Torrents that are left alone");
  const checks = h("ul", { class: "plain" });
  let paused = false;
  pause.addEventListener("click", () => house.order(paused ? "/moves/resume" : "/moves/pause", paused ? "All go on." : "All are paused."));
  const set = h("form", { class: "row", on: { submit: (event) => { event.preventDefault(); house.order("/moves/limit", "The limit counts now.", { rate: limit.value || "config" }); } } }, limit, h("button", {}, "Limit"));
  const element = h("div", {},
    h("h2", {}, "Moves"), phase, told, checks,
    h("div", { class: "row" }, filter, pause, h("button", { type: "button", on: { click: () => house.order("/moves/rescan", "It looks for torrents now.") } }, "Look now"), set),
    moves.element,
    h("div", { class: "cards" },
      h("section", { class: "card", "aria-label": "Into this machine" }, h("h3", {}, "In ", inNow), incoming.element),
      h("section", { class: "card", "aria-label": "Out of this machine" }, h("h3", {}, "Out ", outNow), outgoing.element)),
    left.element);
  let last = null;
  filter.addEventListener("input", () => last && draw(last));
  function draw(picture) {
    last = picture;
    const now = picture.moves;
    const active = now.moves.filter((move) => move.standing === "active");
    paused = now.phase === "paused";
    say(pause, paused ? "Resume all" : "Pause all");
    say(phase, `${now.phase}${now.moves.length ? `, ${percent(now.fraction)} of ${size(now.total_bytes)}` : ""}${now.eta === null ? "" : `, ${span(now.eta)} left`}`);
    const next = now.next_scan_in === null ? "" : `; looks again in ${span(now.next_scan_in)}`;
    say(told, `${counted(active.length, "torrent")} under way, ${counted(now.not_moved.length, "torrent")} left alone${next}`);
    say(inNow, rate(now.incoming.now) || "0 B/s");
    say(outNow, rate(now.outgoing.now) || "0 B/s");
    incoming.draw(now.incoming.samples);
    outgoing.draw(now.outgoing.samples);
    const wanted = filter.value.toLocaleLowerCase();
    moves.draw(now.moves.filter((move) => `${move.name} ${move.route} ${move.standing} ${words(move)}`.toLocaleLowerCase().includes(wanted)), (move) => `${move.route} ${move.id}`);
    left.draw(now.not_moved.filter((one) => `${one.name} ${one.route} ${one.reason}`.toLocaleLowerCase().includes(wanted)).slice(0, 500), (one) => `${one.route} ${one.id}`);
    const failed = now.checks.filter((check) => check.passed === false);
    checks.replaceChildren(...failed.map((check) => h("li", { class: check.fatal ? "bad" : "warn" }, `${check.name}: ${check.trouble ? `${check.trouble.what} ${check.trouble.remedy}` : check.result}`)));
  }
  return { element, draw };
}
