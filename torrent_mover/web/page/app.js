// The page around the views: token, stream, which view is shown, keys. A duty brings a view of its name in views/.
import { clauses, h, learn, safe, say } from "./kit.js";

const BASE = document.querySelector("meta[name=base]").content;
const API = `${BASE}/api/v1`;
const $ = (id) => document.getElementById(id);
const wait = (milliseconds) => new Promise((resolve) => { setTimeout(resolve, milliseconds); });

let token = sessionStorage.getItem("token") ?? localStorage.getItem("token") ?? "";
let picture = null;
let ahead = 0;
const shown = new Map();
const failed = new Set();
let known = null;
let words = {};
let current = "";

const headers = (more = {}) => (token ? { authorization: `Bearer ${token}`, ...more } : more);

async function send(method, path, body) {
  try {
    const answer = await fetch(API + path, { method, headers: headers(body === undefined ? {} : { "content-type": "application/json" }), body: body === undefined ? undefined : JSON.stringify(body) });
    const data = await answer.json();
    if (answer.ok) return data;
    tell(`${data.what} ${data.kept} ${data.remedy} [${data.code}]`);
    if (answer.status === 401) login(data.what);
  } catch { tell("It does not answer."); }
  return null;
}

const house = {
  get: (path) => send("GET", path),
  post: (path, body) => send("POST", path, body),
  send,
  order: async (path, said, body) => { if (await send("POST", path, body)) tell(said); },
  now: () => Date.now() / 1000 + ahead,
  readOnly: () => Boolean(picture?.serve.read_only),
  tell,
  stream,
  ask: (text, yes) => new Promise((resolve) => {
    say($("ask-text"), text);
    say($("ask-yes"), yes);
    $("ask").returnValue = "";
    $("ask").addEventListener("close", () => resolve($("ask").returnValue === "yes"), { once: true });
    $("ask").showModal();
  }),
  show: (title, lines) => list(title, lines.map((line) => h("dd", {}, safe(line)))),
};

let telling = 0;
function tell(text) {
  say($("told"), text);
  clearTimeout(telling);
  telling = setTimeout(() => say($("told"), ""), 6000);
}

let asking = null;
function login(wrong = "") {
  say($("login-wrong"), wrong && token ? wrong : "");
  if (!$("login").open) $("login").showModal();
  asking ??= new Promise((resolve) => {
    $("login-form").addEventListener("submit", () => {
      token = $("token").value.trim();
      sessionStorage.setItem("token", token);
      if ($("remember").checked) localStorage.setItem("token", token);
      asking = null;
      resolve();
    }, { once: true });
  });
  return asking;
}
$("login").addEventListener("cancel", (event) => event.preventDefault());

// Server-Sent Events by fetch: only so can the token be in a header, and not in the address.
async function stream(path, hear, signal) {
  let pause = 500;
  while (!signal?.aborted) {
    try {
      const answer = await fetch(API + path(), { headers: headers(), signal });
      if (answer.status === 401 || answer.status === 429) {
        const said = await answer.json();
        if (answer.status === 401) await login(said.what); else { tell(said.what); await wait(10000); }
        continue;
      }
      if (answer.ok) {
        pause = 500;
        await read(answer.body, hear);
      }
    } catch (error) { if (signal?.aborted) return; }
    hear("lost", null);
    await wait(pause);
    pause = Math.min(pause * 2, 15000);
  }
}

async function read(body, hear) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += value;
    const pieces = text.split("\n\n");
    text = pieces.pop();
    for (const piece of pieces) {
      const name = /^event: (.*)$/m.exec(piece)?.[1];
      const data = /^data: (.*)$/m.exec(piece)?.[1];
      if (name && data) hear(name, JSON.parse(data));
    }
  }
}

// -- views ------------------------------------------------------------------------------------------------------------------

async function add(name) {
  try {
    const module = await import(`./views/${name}.js`);
    learn(words[name] ?? []);
    shown.set(name, { title: module.title, ...module.make(house) });
  } catch (error) { failed.add(name); console.error(`The view ${name} cannot be shown`, error); }
}

async function follow(duties) {
  if (!known) {
    words = await (await fetch(`${BASE}/page/words.json`)).json();
    known = await (await fetch(`${BASE}/page/views.json`)).json();
  }
  const wanted = ["overview", ...duties, "log", "settings"].filter((name) => known.includes(name) && !failed.has(name));
  const missing = wanted.filter((name) => !shown.has(name));
  const gone = [...shown.keys()].filter((name) => !wanted.includes(name));
  if (!missing.length && !gone.length && $("views").childElementCount) return;
  for (const name of missing) await add(name);
  for (const name of gone) shown.delete(name);
  const order = wanted.filter((name) => shown.has(name));
  $("views").replaceChildren(...order.map((name, place) => h("a", { href: `#${name}`, title: `Key ${place + 1}` }, shown.get(name).title)));
  go();
}

function draw() {
  learn(words[current] ?? []);
  shown.get(current)?.draw(picture);
}

function names() { return [...$("views").children].map((link) => link.hash.slice(1)); }

function go() {
  const wanted = location.hash.slice(1);
  const name = shown.has(wanted) ? wanted : "overview";
  if (!shown.has(name) || name === current) return;
  shown.get(current)?.hidden?.();
  current = name;
  for (const link of $("views").children) link.toggleAttribute("aria-current", link.hash === `#${name}`);
  for (const link of $("views").children) if (link.hash === `#${name}`) link.setAttribute("aria-current", "page");
  document.title = `${shown.get(name).title} - torrent_mover`;
  $("main").replaceChildren(shown.get(name).element);
  if (picture) draw();
  shown.get(name).shown?.();
}
addEventListener("hashchange", go);

async function hear(name, data) {
  if (name === "lost") {
    say($("link"), "no connection");
    $("link").className = "lost";
    return;
  }
  picture = data;
  ahead = data.serve.at - Date.now() / 1000;
  await follow(data.serve.duties);
  say($("link"), `${data.serve.version}${data.serve.read_only ? ", read only" : ""}`);
  $("link").className = "";
  const strips = clauses([data.serve.trouble, ...data.serve.loops.filter((loop) => ["parked", "stuck"].includes(loop.state)).map((loop) => `${loop.name} is ${loop.state}: ${loop.error}`)]);
  $("strip").hidden = !strips;
  say($("strip"), strips);
  draw();
}

// -- keys -------------------------------------------------------------------------------------------------------------------

const KEYS = [["1 to 9", "the view of that number"], ["j, k", "the next, the previous row"], ["/", "filter"], ["?", "these keys, and what the words mean"], ["Esc", "leave a field or a window"]];

function list(title, rows) {
  say($("help-title"), title);
  $("help-keys").replaceChildren(...rows);
  $("help").showModal();
}
const help = () => list("Keys and words", [...KEYS, ...(words[current] ?? [])].flatMap(([what, means]) => [h("dt", {}, what), h("dd", {}, means)]));
$("keys").addEventListener("click", help);

function step(by) {
  const rows = [...document.querySelectorAll("main tbody tr")].filter((row) => row.querySelector("button"));
  if (!rows.length) return;
  const at = rows.findIndex((row) => row.contains(document.activeElement));
  rows[Math.max(0, Math.min(rows.length - 1, at + by))].querySelector("button").focus();
}

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.target.matches("input, textarea, select")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const number = Number(event.key);
  if (number >= 1 && names()[number - 1]) location.hash = names()[number - 1];
  else if (event.key === "j") step(1);
  else if (event.key === "k") step(-1);
  else if (event.key === "?") help();
  else if (event.key === "/" && document.querySelector("main input[type=search]")) document.querySelector("main input[type=search]").focus();
  else return;
  event.preventDefault();
});

stream(() => "/stream", hear);
