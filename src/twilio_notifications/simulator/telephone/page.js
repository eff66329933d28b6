// The page with the telephones. It asks the simulator each second what they show, and writes what came from
// outside as text only. Addresses are relative to /simulator/telephone.

const SECONDS = { watched: 1, hidden: 5 };
const ENTRIES = 100;
const GROUPS = {
  refused: "Twilio refuses the request",
  undelivered: "The text does not arrive",
  document: "The voice document of the call cannot be used",
};
const ACTS = {
  "pick-up": "Pick up",
  voicemail: "Let the voicemail answer",
  decline: "Decline",
  ignore: "Let it ring",
  "hang-up": "Hang up",
};
const ARRIVED = new Set(["delivered", "read", "received"]);
const LOST = new Set(["undelivered", "failed", "canceled", "busy", "no-answer"]);

const at = (id) => document.getElementById(id);
let chosen = numberInAddress() || null;
let turn = 0;
let timer = 0;
let ringing = new Set(); // the numbers of the telephones that ring

function numberInAddress() {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return ""; // written by hand, and not in the form of an address
  }
}

function made(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children.filter((child) => child !== null));
  return element;
}

async function ask(method, path, content) {
  const body = content === undefined ? undefined : JSON.stringify(content);
  const response = await fetch(path, { method, body });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.message);
  return answer;
}

async function order(method, path, content) {
  try {
    await ask(method, path, content);
    complain(null);
  } catch (error) {
    complain(error.message);
  }
  await look();
}

function complain(message) {
  at("trouble").hidden = message === null;
  if (at("trouble").textContent !== message) at("trouble").textContent = message ?? "";
}

// Looks at the telephones

let lost = false;

async function look() {
  const mine = ++turn;
  let seen;
  try {
    seen = await asked(encodeURIComponent(at("search").value));
  } catch (error) {
    lost = true;
    const unreachable = "The simulator does not answer. Start it again; this page goes on by itself.";
    complain(error instanceof TypeError ? unreachable : error.message);
    return;
  }
  if (mine !== turn) return; // a later look has begun
  if (lost) complain(null);
  lost = false;
  show(...seen);
}

async function asked(search) {
  const all = await ask("GET", `telephones?entries=1&search=${search}`);
  chosen ??= all.telephones[0]?.number ?? null;
  if (chosen === null) return [all, null];
  const number = encodeURIComponent(chosen);
  const one = await ask("GET", `telephones?number=${number}&entries=${ENTRIES}&search=${search}`);
  return [all, one.telephones[0]];
}

async function watch() {
  clearTimeout(timer);
  await look();
  timer = setTimeout(watch, 1000 * (document.hidden ? SECONDS.hidden : SECONDS.watched));
}

// Shows them

function show(all, one) {
  set(at("all-on"), all.settings.on);
  set(at("all-by-hand"), all.settings.by_hand);
  showList(all);
  at("phone").hidden = one === null;
  if (one !== null) showTelephone(one, all.most_kept);
  showFailures(all.failures);
  announce(all.telephones);
}

function set(checkbox, value) {
  if (checkbox.checked !== value) checkbox.checked = value;
}

function showList(all) {
  const list = at("list");
  keep(list, all.telephones, (each) => each.number, summary);
  for (const line of list.children) {
    line.firstChild.setAttribute("aria-current", String(line.dataset.key === chosen));
  }
  at("empty").hidden = all.telephones.length > 0;
  at("empty").textContent = at("search").value
    ? "No text and no call has these words."
    : "No telephone has got anything yet. Send a text or a call to a number, and its telephone appears here.";
}

function summary(each) {
  const marks = [each.ringing ? "rings" : "", each.on ? "" : "off"].filter(Boolean).join(", ");
  const latest = each.entries[0];
  const preview = latest === undefined ? "" : latest.kind === "call" ? `Call, ${latest.status}` : latest.body;
  const button = made(
    "button",
    { type: "button", className: each.ringing ? "ringing" : "", onclick: () => choose(each.number) },
    made("span", { className: "marks", textContent: marks }),
    made("strong", { textContent: each.number }),
    made("span", { className: "preview", textContent: preview }),
  );
  return made("li", {}, button);
}

function choose(number) {
  chosen = number;
  history.replaceState(null, "", `#${encodeURIComponent(number)}`);
  at("entries").replaceChildren();
  watch();
}

function showTelephone(one, mostKept) {
  if (at("number").textContent !== one.number) at("number").textContent = one.number;
  set(at("on"), one.on);
  set(at("by-hand"), one.by_hand);
  at("hint").hidden = one.by_hand || !one.on;
  const before = at("entries").lastChild?.dataset.key;
  keep(at("entries"), one.entries.toReversed(), (entry) => entry.sid, bubble);
  if (before !== at("entries").lastChild?.dataset.key) atEnd = true;
  stayAtEnd();
  at("kept").textContent = keptWords(one, mostKept);
  showSenders(one.entries);
}

let atEnd = true;

function stayAtEnd() {
  if (atEnd) at("log").scrollTop = at("log").scrollHeight;
}

function keptWords(one, mostKept) {
  if (one.kept === 0) return "This telephone has got nothing yet.";
  if (one.entries.length === 0) return "No text and no call of this telephone has these words.";
  if (one.entries.length < one.kept) return `The latest ${one.entries.length} of ${one.kept}. Search to find the others.`;
  return `All telephones together keep the latest ${mostKept} texts and calls.`;
}

// A telephone that begins to ring is announced, also one that is not on the page.
function announce(telephones) {
  const numbers = telephones.filter((each) => each.ringing).map((each) => each.number);
  const fresh = numbers.filter((number) => !ringing.has(number));
  if (fresh.length) at("news").textContent = `A call rings on ${fresh.join(" and ")}.`;
  ringing = new Set(numbers);
  document.title = numbers.length ? `(${numbers.length} rings) Telephones` : "Telephones";
}

// One element for each of these; an element stays as long as what it shows, so that the focus stays too.
function keep(parent, wanted, keyOf, draw) {
  const present = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  wanted.forEach((each, place) => {
    const key = keyOf(each, place);
    const shown = JSON.stringify(each);
    let element = present.get(key);
    present.delete(key);
    if (element?.dataset.shown !== shown) {
      const fresh = draw(each);
      fresh.dataset.key = key;
      fresh.dataset.shown = shown;
      if (element) replaceWithFocus(element, fresh);
      element = fresh;
    }
    if (parent.children[place] !== element) moveWithFocus(parent, element, place);
  });
  for (const gone of present.values()) gone.remove();
}

function replaceWithFocus(old, fresh) {
  const label = old.contains(document.activeElement) ? document.activeElement.textContent : null;
  old.replaceWith(fresh);
  if (label === null) return;
  const buttons = [...fresh.querySelectorAll("button")];
  const next = buttons.find((button) => button.textContent === label) ?? buttons[0];
  (next ?? at("log")).focus();
}

function moveWithFocus(parent, element, place) {
  const focused = element.contains(document.activeElement) ? document.activeElement : null;
  parent.insertBefore(element, parent.children[place] ?? null);
  focused?.focus();
}

function bubble(entry) {
  const classes = ["entry", entry.kind, entry.outgoing ? "outgoing" : "", entry.acts.length ? "active" : ""];
  if (entry.kind === "call") classes.push(entry.status);
  if (entry.kind === "text" && LOST.has(entry.status)) classes.push("lost");
  return made(
    "li",
    { className: classes.filter(Boolean).join(" ") },
    ...(entry.kind === "text" ? textParts(entry) : callParts(entry)),
    ...footer(entry),
  );
}

const line = (text, className = "") => (text ? made("p", { textContent: text, className }) : null);

function textParts(entry) {
  return [line(entry.body), ...entry.media_urls.map((url) => line(`Picture: ${url}`))];
}

function callParts(entry) {
  const title = entry.outgoing ? `Call to ${entry.other}` : `Call from ${entry.other}`;
  return [
    line(title, "title"),
    line(entry.spoken),
    line(entry.document && `It plays ${entry.document}`),
    line(entry.keys && `Keys pressed: ${entry.keys}`),
    ...entry.heard.map((said) => line(`Answer: ${said}`)),
    entry.acts.length ? made("div", { className: "row" }, ...entry.acts.map((act) => actButton(entry, act))) : null,
    entry.takes_keys ? keypad(entry) : null,
    entry.acts.includes("hang-up") && !entry.takes_keys ? line("This call takes no keys.", "quiet") : null,
  ];
}

function actButton(entry, act) {
  const onclick = () => order("POST", "acts", { sid: entry.sid, act });
  return made("button", { type: "button", className: act === "pick-up" ? "main" : "", textContent: ACTS[act], onclick });
}

function keypad(entry) {
  const keys = [..."123456789*0#"].map((digits) =>
    made("button", {
      type: "button",
      textContent: digits,
      ariaLabel: `Press ${digits}`,
      onclick: () => order("POST", "keys", { sid: entry.sid, digits }),
    }),
  );
  return made("div", { className: "keys", role: "group", ariaLabel: "Keys" }, ...keys);
}

function footer(entry) {
  const begun = new Date(entry.created_at * 1000);
  const time = made("time", { dateTime: begun.toISOString(), textContent: timeWords(begun) });
  const state = ARRIVED.has(entry.status) ? "arrived" : LOST.has(entry.status) ? "failed" : "";
  const status = made("span", { className: state, textContent: entry.status });
  const other = entry.kind === "call" || !entry.other ? "" : `${entry.outgoing ? "to" : "from"} ${entry.other} · `;
  const by = entry.answered_by ? ` · answered by ${entry.answered_by}` : "";
  const code = entry.error_code ? `${entry.error_code}: ${entry.error_means}` : "";
  return [made("p", { className: "quiet" }, time, ` · ${other}`, status, by), line(code, "failed")];
}

function timeWords(instant) {
  const today = instant.toDateString() === new Date().toDateString();
  return today ? instant.toLocaleTimeString() : instant.toLocaleString();
}

function showSenders(entries) {
  const numbers = [...new Set(entries.map((entry) => entry.other).filter(Boolean))];
  const select = at("to");
  if (JSON.stringify(numbers) === select.dataset.shown) return;
  const before = select.value;
  select.dataset.shown = JSON.stringify(numbers);
  select.replaceChildren(...numbers.map((number) => made("option", { textContent: number, value: number })));
  if (numbers.includes(before)) select.value = before;
}

function showFailures(failures) {
  at("withdraw").hidden = failures.length === 0;
  const words = ({ order: { code, number }, left }) => {
    const which = left === 1 ? "The next request" : `The next ${left} requests`;
    return `${which} ${number ? `to ${number}` : "to any telephone"}: ${code}`;
  };
  keep(at("failures"), failures, (_, place) => String(place), (each) => made("li", { textContent: words(each) }));
}

async function fillCodes() {
  const codes = await ask("GET", "codes");
  for (const [how, label] of Object.entries(GROUPS)) {
    const options = codes.filter((code) => code.how === how);
    const group = made("optgroup", { label });
    group.append(...options.map(({ code, means }) => made("option", { value: code, textContent: `${code}: ${means}` })));
    at("code").append(group);
  }
  at("code").value = "21610";
}

// What a person does

function answer(body) {
  return order("POST", "inbound", { channel: "SMS", from: chosen, to: at("to").value || null, body });
}

at("answer").onsubmit = (event) => {
  event.preventDefault();
  const body = at("body").value;
  at("body").value = "";
  answer(body);
};
for (const button of document.querySelectorAll("[data-body]")) button.onclick = () => answer(button.dataset.body);
at("call-back").onclick = () =>
  order("POST", "inbound", { channel: "CALL", from: chosen, to: at("to").value || null });

for (const [id, field] of [["on", "on"], ["by-hand", "by_hand"]]) {
  at(id).onchange = () => order("POST", "telephones", { number: chosen, [field]: at(id).checked });
  at(`all-${id}`).onchange = () => order("POST", "telephones", { [field]: at(`all-${id}`).checked });
}

at("failure").onsubmit = (event) => {
  event.preventDefault();
  const number = at("only-here").checked ? chosen : null;
  order("POST", "failures", { code: Number(at("code").value), number });
};
at("withdraw").onclick = () => order("DELETE", "failures");

at("log").onscroll = () => {
  atEnd = at("log").scrollHeight - at("log").scrollTop - at("log").clientHeight < 40;
};
new ResizeObserver(stayAtEnd).observe(at("log"));
at("search").oninput = () => watch();
document.onvisibilitychange = () => watch();
addEventListener("hashchange", () => choose(numberInAddress()));

fillCodes().catch((error) => complain(error.message));
watch();
