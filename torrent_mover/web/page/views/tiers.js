// The tiers: disks with their marks, what is done now, what waits, what leaves and what stays.
import { actsColumn, bar, barColumn, counted, fillBar, h, mark, percent, rate, say, size, span, standing, table } from "../kit.js";

export const title = "Tiers";

export function make(house) {
  const element = h("div", {}, h("h2", {}, "Tiers"));
  const tiers = new Map();
  function draw(picture) {
    for (const tier of picture.tiers.tiers) {
      let shown = tiers.get(tier.name);
      if (!shown) {
        shown = one(house, tier.name);
        tiers.set(tier.name, shown);
        element.append(shown.element);
      }
      shown.draw(tier);
    }
    for (const [name, shown] of tiers) if (!picture.tiers.tiers.some((tier) => tier.name === name)) { shown.element.remove(); tiers.delete(name); }
  }
  return { element, draw };
}

function one(house, name) {
  const on = (torrent, act, said) => house.order(`/tiers/${encodeURIComponent(name)}/torrents/${torrent.id}/${act}`, said);
  const state = h("p", { class: "big" });
  const left = h("p", { class: "dim" });
  const disks = h("div", { class: "cards" });
  const alarms = h("ul", { class: "plain" });
  const works = table([
    { name: "Now", kind: "name", text: (work) => work.name },
    { name: "Task", text: (work) => `${work.task}: ${work.stage.replace("_", " ")}` },
    { name: "Size", kind: "number", text: (work) => size(work.size) },
    barColumn("Done", (work) => work.fraction, (work) => `${work.name}: ${percent(work.fraction)}`),
    { name: "Rate", kind: "number", text: (work) => rate(work.rate) },
  ], `Under way in ${name}`);
  const queue = table([
    { name: "Waits to be copied", kind: "name", text: (each) => each.name },
    { name: "Size", kind: "number", text: (each) => (each.size ? size(each.size) : "") },
    { name: "Why", text: (each) => each.reason || `queued by ${each.asker}` },
  ], `Queue of ${name}`);
  const candidates = table([
    { name: "#", kind: "number", text: (each) => each.place ?? "" },
    { name: "On the SSD", kind: "name", text: (each) => each.name },
    { name: "Size", kind: "number", text: (each) => size(each.size) },
    { name: "Frees", kind: "number", text: (each) => (each.place === null ? "" : size(each.frees)) },
    { name: "Why", text: (each) => (each.place === null ? each.reasons[0] ?? "" : "leaves") },
    actsColumn((each) => [
      each.pinned ? { name: "Unpin", act: (torrent) => on(torrent, "unpin", "It may leave the SSD again.") } : { name: "Pin", act: (torrent) => on(torrent, "pin", "It stays on the SSD.") },
      { name: "Evict", act: async (torrent) => { if (await house.ask(`Let ${torrent.name} leave the SSD now? Every check holds.`, "Evict it")) on(torrent, "evict", "It leaves after what is done now."); } },
      { name: "Explain", act: async (torrent) => {
        const told = await house.get(`/tiers/${encodeURIComponent(name)}/torrents/${torrent.id}/explain`);
        if (told) house.show(torrent.name, told.lines);
      } },
    ], (each) => each.name),
  ], `Torrents on the SSD of ${name}`);
  const element = h("section", { "aria-label": `Tier ${name}` },
    h("h2", {}, `Tier ${name}`), state, alarms, disks, left,
    h("div", { class: "row" }, h("button", { type: "button", on: { click: () => house.order(`/tiers/${encodeURIComponent(name)}/round`, "A round is asked for.") } }, "Look now")),
    works.element, queue.element, candidates.element);
  const bars = new Map();
  function draw(tier) {
    say(state, `${tier.phase}, ${tier.acts ? "acts" : "reports only"}${tier.worker?.next_round_at > house.now() ? `; next round in ${span(tier.worker.next_round_at - house.now())}` : ""}`);
    state.className = `big ${standing(tier.phase)}`;
    alarms.replaceChildren(...tier.alarms.map((alarm) => h("li", { class: "bad" }, `${alarm.trouble.what} ${alarm.trouble.remedy} [${alarm.trouble.code}]`)));
    for (const disk of tier.disks) drawDisk(disk);
    left.hidden = !tier.left;
    if (tier.left) say(left, `${counted(tier.left, "copy", "copies")}, ${size(tier.left_bytes)}, of torrents that have left the client: torrent-mover tier --left`);
    works.draw(tier.works, (work) => `${work.client} ${work.id} ${work.task}`);
    queue.draw(tier.queue, (each) => `${each.client} ${each.id}`);
    candidates.draw(tier.candidates.slice(0, 1000), (each) => `${each.client} ${each.id}`);
  }
  function drawDisk(disk) {
    let shown = bars.get(disk.path);
    if (!shown) {
      const used = bar(0, `${disk.role} ${disk.path}`);
      const told = h("p", { class: "dim" });
      shown = { used, told, marks: "" };
      bars.set(disk.path, shown);
      disks.append(h("section", { class: "card", "aria-label": disk.path }, h("h3", {}, `${disk.role} `, disk.path), used, told));
    }
    const known = disk.total && disk.free !== null;
    fillBar(shown.used, known ? 1 - disk.free / disk.total : 0);
    const low = disk.free !== null && disk.low !== null && disk.free < disk.low;
    const critical = disk.free !== null && disk.critical !== null && disk.free < disk.critical;
    shown.used.className = `bar${critical ? " critical" : low ? " low" : ""}`;
    const marks = known ? [["low", disk.low], ["high", disk.high], ["critical", disk.critical]].filter(([, value]) => value !== null) : [];
    const drawn = marks.map(([word, value]) => `${word} ${value}`).join();
    if (shown.marks !== drawn) {
      shown.marks = drawn;
      while (shown.used.children.length > 1) shown.used.lastChild.remove();
      for (const [word, value] of marks) mark(shown.used, 1 - value / disk.total, `${word} mark: ${size(value)} free`);
    }
    say(shown.told, disk.away || `${size(disk.free)} of ${size(disk.total)} free${marks.length ? `; ${marks.map(([word, value]) => `${word} ${size(value)}`).join(", ")}` : ""}`);
  }
  return { element, draw };
}
