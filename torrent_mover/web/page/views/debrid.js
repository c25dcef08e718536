// Debrid accounts: how each stands, what failed or died there, what would be done and how far it is, what waits, what is set aside.
import { actsColumn, barColumn, clauses, clock, counted, graph, h, percent, say, span, standing, table, whole } from "../kit.js";

export const title = "Debrid";

const NUMBERS_EVERY = 60;

// What acting would work on now, as the server counts it: what was begun, and what is proven and not held back.
const plan = (account) => new Set([...account.repairs.filter((one) => one.open), ...account.findings.filter((one) => one.would && !one.against)].map((one) => one.id));
const suspects = (account) => account.findings.filter((one) => !one.proof).length;

export function make(house) {
  const of = (one) => `?account=${encodeURIComponent(one.account)}`;
  const traffic = (account) => (account.parked_until ? `traffic used up until ${clock(account.parked_until)}` : account.closed_until ? `paused until ${clock(account.closed_until)}` : "");
  const accounts = table([
    { name: "Account", kind: "name", text: (account) => account.name },
    { name: "Service", text: (account) => account.service },
    { name: "State", text: (account) => `${account.phase}, ${account.acts ? "acts" : "reports only"}`, tone: (account) => standing(account.phase) },
    { name: "Premium", kind: "number", text: (account) => (account.good_at ? span(account.premium) : "not known") },
    { name: "Slots", kind: "number", text: (account) => (account.slots === null ? "" : `${account.slots_used} of ${account.slots}`) },
    { name: "Torrents", kind: "number", text: (account) => (account.seen < account.total ? `${whole(account.seen)} of ${whole(account.total)}` : whole(account.total)) },
    { name: "Looked", kind: "number", text: (account) => (account.looked_at ? `${span(Math.max(0, house.now() - account.looked_at))} ago` : "never") },
    { name: "Trouble", text: (account) => clauses([account.trouble ? `${account.trouble.what} ${account.trouble.remedy}` : "", ...account.held, traffic(account)]), tone: (account) => (account.trouble || account.held.length ? "bad" : "") },
    actsColumn(() => [{ name: "Scan now", act: (account) => house.order(`/debrid/scan?account=${encodeURIComponent(account.name)}`, "A round is asked for.") }], (account) => account.name),
  ], "Debrid accounts");
  const explain = { name: "Explain", act: async (one) => {
    const told = await house.get(`/debrid/torrents/${one.id}${of(one)}`);
    if (told) house.show(one.name, told.lines);
  } };
  const found = table([
    { name: "Torrent", kind: "name", text: (one) => one.name },
    { name: "Account", text: (one) => one.account },
    { name: "Fault", text: (one) => (one.said && one.said !== one.fault ? `${one.fault}: ${one.said}` : one.fault) },
    { name: "Proof", text: (one) => one.proof || `only suspected, seen ${counted(one.looks, "time")}`, tone: (one) => (one.proof ? "warn" : "") },
    { name: "Since", kind: "number", text: (one) => span(Math.max(0, house.now() - one.since)) },
    { name: "Links", kind: "number", text: (one) => (one.links.length ? whole(one.links.length) : "") },
    { name: "Would", text: (one) => clauses([one.would || "nothing", one.against]) },
    actsColumn(() => [explain], (one) => one.name),
  ], "Torrents with which something is wrong");
  const repairs = table([
    { name: "Repair", kind: "name", text: (one) => one.name },
    { name: "Account", text: (one) => one.account },
    { name: "Stage", text: (one) => (one.trouble ? `${one.stage}: ${one.trouble}` : one.stage), tone: (one) => (one.open || one.went_well ? "" : "warn") },
    barColumn("Done", (one) => (one.went_well ? 1 : one.progress), (one) => `${one.name}: ${percent(one.went_well ? 1 : one.progress)}`),
    { name: "Files", kind: "number", text: (one) => whole(one.files) },
    { name: "Old, new", text: (one) => [one.old, one.new].filter(Boolean).join(" -> ") },
    { name: "Changed", kind: "number", text: (one) => `${span(Math.max(0, house.now() - one.changed_at))} ago` },
    actsColumn(() => [explain], (one) => one.name),
  ], "Repairs");
  const retries = table([
    { name: "Waits", kind: "name", text: (one) => one.name },
    { name: "Account", text: (one) => one.account },
    { name: "Why", text: (one) => one.reason },
    { name: "Tries", kind: "number", text: (one) => `${one.tries} of ${one.most}` },
    { name: "Due", kind: "number", text: (one) => (one.given_up ? "given up" : one.due > house.now() ? `in ${span(one.due - house.now())}` : "now") },
    actsColumn(() => [{ name: "Retry", act: (one) => house.order(`/debrid/torrents/${one.id}/retry${of(one)}`, "It is due now.") }], (one) => one.name),
  ], "What is tried again");
  const aside = table([
    { name: "Set aside", kind: "name", text: (one) => one.path },
    { name: "Account", text: (one) => one.account },
    { name: "Why", text: (one) => one.reason },
    { name: "Since", kind: "number", text: (one) => span(Math.max(0, house.now() - one.at)) },
    actsColumn(() => [{ name: "Put back", act: async (one) => {
      if (await house.ask(`Put ${one.path} back? What has its name now is not overwritten.`, "Put it back")) house.order(`/debrid/quarantine/${encodeURIComponent(one.key)}/restore${of(one)}`, "It is put back.");
    } }], (one) => one.path),
  ], "Links that are set aside");
  const scans = graph("Seconds of the scans, the last week");
  const counts = graph("Repairs that ended, each day of the last week");
  const numbers = h("div", { class: "cards" },
    h("section", { class: "card", "aria-label": "Scans" }, h("h3", {}, "Seconds of scans"), scans.element),
    h("section", { class: "card", "aria-label": "Repairs by day" }, h("h3", {}, "Repairs by day"), counts.element));
  const told = h("p", { class: "big" });
  const plans = h("div");
  const filter = h("input", { type: "search", placeholder: "filter", "aria-label": "Show only torrents whose name, fault or account has this" });
  const element = h("div", {}, h("h2", {}, "Debrid"), told, accounts.element, plans, h("div", { class: "row" }, filter), found.element, repairs.element, retries.element, aside.element, numbers);
  const forms = new Map();

  // The plan is acted on once somebody has typed how many torrents it has; the server counts again.
  function form(name) {
    const says = h("span");
    const count = h("input", { size: 5, inputmode: "numeric", "aria-label": `How many torrents the plan of ${name} has` });
    const made = h("form", { class: "row", on: { submit: async (event) => {
      event.preventDefault();
      const typed = Number(count.value.replaceAll(",", ""));
      count.value = "";
      if (Number.isInteger(typed) && typed > 0) house.order("/debrid/act", "A round that acts is asked for.", { count: typed, account: name });
      else house.tell("Type how many torrents the plan has.");
    } } }, says, count, h("button", { "aria-label": `Act: ${name}` }, "Act"));
    return { element: made, says };
  }
  function drawPlans(all) {
    for (const account of all) {
      if (!forms.has(account.name)) forms.set(account.name, form(account.name));
      const size = plan(account).size;
      const mine = forms.get(account.name);
      mine.element.hidden = size === 0;
      say(mine.says, `The plan of ${account.name} has ${counted(size, "torrent")}. Each is looked at again, then repaired; guards and caps hold. Type the number to act:`);
      if (!mine.element.parentNode) plans.append(mine.element);
    }
    for (const [name, mine] of forms) if (!all.some((account) => account.name === name)) { mine.element.remove(); forms.delete(name); }
  }

  let numbersAt = 0;
  async function drawNumbers() {
    if (house.now() - numbersAt < NUMBERS_EVERY) return;
    numbersAt = house.now();
    const all = await house.get("/debrid/metrics?since=7d");
    if (!all) return;
    scans.draw(all.filter((each) => each.type === "scan").map((each) => each.value));
    const days = Array(7).fill(0);
    for (const each of all) if (each.type === "repair") days[6 - Math.min(6, Math.max(0, Math.floor((house.now() - each.at) / 86400)))] += each.value;
    counts.draw(days);
    numbers.hidden = !all.length;
  }

  let last = null;
  filter.addEventListener("input", () => last && draw(last));
  function draw(picture) {
    last = picture;
    const all = picture.debrid.accounts;
    const wanted = filter.value.toLocaleLowerCase();
    const rows = (part) => all.flatMap((account) => account[part]).filter((one) => `${one.name ?? one.path} ${one.fault ?? ""} ${one.account}`.toLocaleLowerCase().includes(wanted)).slice(0, 1000);
    const bad = all.flatMap((account) => account.findings).length;
    say(told, bad ? `Something is wrong with ${counted(bad, "torrent")}, ${all.reduce((sum, account) => sum + suspects(account), 0)} only suspected.` : "Nothing is wrong with any torrent.");
    accounts.draw(all, (account) => account.name);
    drawPlans(all);
    found.draw(rows("findings"), (one) => `${one.account} ${one.id}`);
    repairs.draw(rows("repairs"), (one) => `${one.account} ${one.id}`);
    retries.draw(rows("retries"), (one) => `${one.account} ${one.id}`);
    aside.draw(rows("aside"), (one) => `${one.account} ${one.key}`);
    drawNumbers();
  }
  return { element, draw };
}
