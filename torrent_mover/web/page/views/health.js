// The health of downloads: each loop, what is wrong with which torrent, and what would be done, or was.
import { actsColumn, clauses, clock, counted, h, percent, say, size, span, standing, table, whole } from "../kit.js";

export const title = "Health";

export function make(house) {
  const path = (one, act = "") => `/torrents/${one.id}${act}?loop=${encodeURIComponent(one.loop)}`;
  const on = (one, act, said) => house.order(path(one, `/${act}`), said, act === "hold" ? { time: "" } : undefined);
  const loops = table([
    { name: "Loop", kind: "name", text: (loop) => loop.name },
    { name: "State", text: (loop) => `${loop.phase}, ${loop.acts ? "acts" : "reports only"}`, tone: (loop) => standing(loop.phase) },
    { name: "Torrents", kind: "number", text: (loop) => whole(loop.torrents) },
    { name: "Looked", kind: "number", text: (loop) => (loop.looked_at ? `${span(Math.max(0, house.now() - loop.looked_at))} ago` : "") },
    { name: "Done today", kind: "number", text: (loop) => `${whole(loop.today)} of ${whole(loop.a_day)}` },
    { name: "Trouble", text: (loop) => loop.blind || (loop.trouble ? `${loop.trouble.what} ${loop.trouble.remedy}` : loop.waiting), tone: (loop) => (loop.blind || loop.trouble ? "bad" : "") },
  ], "Loops of health");
  const found = table([
    { name: "Torrent", kind: "name", text: (one) => one.name },
    { name: "Loop", text: (one) => one.loop },
    { name: "State", text: (one) => `${one.state} ${percent(one.progress)}` },
    { name: "Size", kind: "number", text: (one) => size(one.size) },
    { name: "Findings", text: (one) => one.findings.map((each) => `${each.code}${each.needs > 0 ? ` ${span(each.lasted)} of ${span(each.needs)}` : ""}${each.due ? ", due" : ""}`).join("; "), tone: (one) => (one.findings.some((each) => each.due) ? "warn" : "") },
    { name: "Would", text: (one) => clauses([one.would, ...one.vetoes, one.capped]) },
    actsColumn((one) => [
      one.held ? { name: "Release", act: (torrent) => on(torrent, "release", "It is judged again.") } : { name: "Hold", act: (torrent) => on(torrent, "hold", "It is left alone until you release it.") },
      ...(one.changes && !one.held ? [{ name: "Act", act: async (torrent) => { if (await house.ask(`${torrent.name}: ${torrent.would} now? Obligations and caps hold.`, "Do it")) on(torrent, "act", "It is done after another look."); } }] : []),
      { name: "Explain", act: async (torrent) => {
        const told = await house.get(path(torrent));
        if (told) house.show(torrent.name, told.lines);
      } },
    ], (one) => one.name),
  ], "Torrents with findings");
  const done = table([
    { name: "Done", kind: "name", text: (act) => act.name },
    { name: "At", kind: "number", text: (act) => clock(act.at) },
    { name: "What", text: (act) => `${act.action}: ${act.code}` },
    { name: "State", text: (act) => act.trouble || act.state, tone: (act) => (act.failed ? "bad" : "") },
    actsColumn((act) => (act.undoable ? [{ name: "Undo", act: async (done) => {
      if (await house.ask(`Bring ${done.name} back, with its files?`, "Bring it back")) house.order(`/actions/${done.number}/undo?loop=${encodeURIComponent(done.loop)}`, "It comes back.");
    } }] : []), (act) => act.name),
  ], "Actions");
  const told = h("p", { class: "big" });
  const element = h("div", {}, h("h2", {}, "Health"), told, loops.element, found.element, done.element);
  function draw(picture) {
    const now = picture.health;
    const patients = now.loops.flatMap((loop) => loop.patients).filter((one) => one.findings.length);
    const left = now.loops.flatMap((loop) => loop.patients).filter((one) => !one.findings.length && one.held);
    say(told, patients.length ? `${counted(patients.length, "torrent")} with findings` : "No torrent has a finding.");
    loops.draw(now.loops, (loop) => loop.name);
    found.draw([...patients, ...left].slice(0, 1000), (one) => `${one.loop} ${one.id}`);
    done.draw(now.acts.slice(0, 200), (act) => `${act.loop} ${act.number}`);
  }
  return { element, draw };
}
