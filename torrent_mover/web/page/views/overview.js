// Is all well, what is happening, what needs somebody.
import { actsColumn, bar, clock, explained, fillBar, h, meaning, safe, say, size, span, standing, table } from "../kit.js";

export const title = "Overview";

export function make(house) {
  const verdict = h("p", { class: "big", id: "verdict" });
  const cards = h("div", { class: "cards" });
  const needs = h("ul", { class: "plain", id: "needs" });
  const order = (act, said) => (loop) => house.order(`/loops/${encodeURIComponent(loop.name)}/${act}`, said);
  const loops = table([
    { name: "Loop", kind: "name", text: (loop) => loop.name },
    { name: "Duty", text: (loop) => loop.duty },
    { name: "State", text: (loop) => loop.state, tone: (loop) => standing(loop.state) },
    { name: "Mode", text: (loop) => loop.mode },
    { name: "Sign of life", kind: "number", text: (loop) => `${span(Math.max(0, house.now() - loop.beat_at))} ago` },
    { name: "Next", kind: "number", text: (loop) => (loop.next_at ? clock(loop.next_at) : "") },
    { name: "Trouble", text: (loop) => loop.error, tone: () => "bad" },
    actsColumn((loop) => [
      loop.state === "paused" ? { name: "Resume", act: order("resume", "It goes on.") } : { name: "Pause", act: order("pause", "It ends its look, and begins no other one.") },
      { name: "Look", act: order("look", "It looks now.") },
      { name: "Restart", act: order("restart", "Its failures are forgotten, and it looks now.") },
    ], (loop) => loop.name),
  ], "Loops");
  const servers = table([
    { name: "Server", kind: "name", text: (server) => server.name },
    { name: "Role", text: (server) => server.kind },
    { name: "Product", text: (server) => server.product },
    { name: "Breaker", text: (server) => server.breaker, tone: (server) => (server.breaker.startsWith("closed") ? "" : "bad") },
  ], "Servers");
  const disks = table([
    { name: "Disk", kind: "name", text: (disk) => disk.path },
    { name: "Used", draw(cell, disk) {
      if (!cell.firstChild) cell.append(bar(0, `Used of ${disk.path}`));
      fillBar(cell.firstChild, disk.total && disk.free !== null ? 1 - disk.free / disk.total : 0);
    } },
    { name: "Free", kind: "number", text: (disk) => size(disk.free) },
    { name: "Of", kind: "number", text: (disk) => size(disk.total) },
  ], "Disks");
  // What is not as usual is explained beside it: at 3 a.m. nobody looks for a help page.
  const odd = h("div");
  const breaker = explained("breaker");
  const element = h("div", {}, h("h2", {}, "Overview"), verdict, needs, cards, h("h2", {}, "Loops"), explained("loop"), odd, loops.element, h("h2", {}, "Servers and disks"), breaker, servers.element, disks.element);
  // Every word and figure of the cards is made where the terminal's are made: the page only draws them.
  function draw(picture) {
    const serve = picture.serve;
    const now = picture.overview;
    say(verdict, now.verdict);
    verdict.className = `big ${now.well ? "good" : "bad"}`;
    const text = JSON.stringify([now.cards, now.needs, now.count]);
    if (cards.dataset.text !== text) {
      cards.dataset.text = text;
      cards.replaceChildren(...now.cards.map((card) => h("section", { class: "card", "aria-label": card.title }, h("h3", {}, h("a", { href: `#${card.duty}` }, card.title)), h("p", { class: `big ${card.standing}` }, safe(card.state)), ...card.now.map((line) => h("p", { class: "dim" }, safe(line))))));
      const more = now.count - now.needs.length;
      needs.replaceChildren(
        ...now.needs.map((need) => h("li", {}, h("span", { class: "bad" }, safe(need.what)), need.helps ? ` ${safe(need.helps)}` : "", need.duty === "serve" ? "" : h("a", { href: `#${need.duty}`, "aria-label": `Look at ${need.duty}` }, " look"))),
        ...(more ? [h("li", { class: "bad" }, `and ${more} more`)] : []));
    }
    const states = [...new Set(serve.loops.map((loop) => loop.state))].filter(standing).filter(meaning);
    if (odd.dataset.states !== states.join()) {
      odd.dataset.states = states.join();
      odd.replaceChildren(...states.map((state) => h("p", { class: "means" }, h("b", {}, state), `: ${meaning(state)}`)));
    }
    breaker.hidden = serve.servers.every((server) => server.breaker === "closed");
    loops.draw(serve.loops, (loop) => loop.name);
    servers.draw(serve.servers, (server) => server.name);
    disks.draw(serve.disks, (disk) => disk.path);
  }
  return { element, draw };
}
