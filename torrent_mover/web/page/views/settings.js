// The config file: checked while somebody types, secrets masked, written only where it has no error.
import { counted, h, safe, say } from "../kit.js";

export const title = "Settings";

export function make(house) {
  const path = h("p", { class: "dim" });
  const text = h("textarea", { id: "config", spellcheck: "false", "aria-label": "The config file" });
  const verdict = h("p", { role: "status", id: "problems" });
  const problems = h("ul", { class: "plain" });
  const save = h("button", { type: "button" }, "Save");
  save.disabled = true;
  const element = h("div", {}, h("h2", {}, "Settings"), path,
    h("p", { class: "dim" }, "Secrets are shown as ********; one that you leave like that keeps its value. A saved config is used at once, or as soon as what is running has ended."),
    text, h("div", { class: "row" }, save, h("button", { type: "button", on: { click: load } }, "Reload from disk")), verdict, problems);
  let timer = 0;
  async function load() {
    const found = await house.get("/config");
    if (!found) return;
    text.value = found.text;
    say(path, found.path);
    check();
  }
  async function check() {
    const told = await house.post("/config/check", { text: text.value });
    if (!told) return;
    const errors = told.problems.filter((each) => each.severity === "error").length;
    const notes = told.problems.length - errors;
    say(verdict, `${errors ? counted(errors, "error") : "No error"}${notes ? `, ${counted(notes, "note")}` : ""}.`);
    verdict.className = told.ok ? "good" : "bad";
    save.disabled = !told.ok || house.readOnly();
    problems.replaceChildren(...told.problems.map((each) => h("li", { class: each.severity === "error" ? "bad" : "warn" }, safe(`${each.line ? `line ${each.line}: ` : ""}${each.section ? `[${each.section}] ` : ""}${each.key}: ${each.what} ${each.remedy}`))));
  }
  text.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(check, 400); });
  save.addEventListener("click", async () => {
    const told = await house.send("PUT", "/config", { text: text.value });
    if (told) { house.tell("Saved. A copy of the old file is beside it."); load(); }
  });
  return { element, draw() {}, shown() { if (!text.value) load(); } };
}
