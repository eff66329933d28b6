"use strict";

// Pages work without this file. With it, instants are in the reader's own time, and open pages stay current.

const LEAST_PAUSE = 2000;  // milliseconds between two fetches of a page

function localize(root) {
  const exact = { dateStyle: "medium", timeStyle: "medium" };
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.getAttribute("datetime"));
    if (!Number.isNaN(at.getTime())) {
      time.title = time.textContent;
      time.textContent = at.toLocaleString(undefined, exact);
    }
  }
}

// A part in which someone types, or has opened something, stays as it is.
function isInUse(part) {
  const active = document.activeElement;
  return active !== null && part.contains(active) && active.matches("input, select, textarea");
}

function focusAgain(part, href) {
  const again = Array.from(part.querySelectorAll("a[href]")).find((link) => link.getAttribute("href") === href);
  if (again) {
    again.focus();
  }
}

function renew(part, fresh) {
  if (part.innerHTML === fresh.innerHTML || isInUse(part)) {
    return false;
  }
  const active = document.activeElement;
  const href = active !== null && part.contains(active) ? active.getAttribute("href") : null;
  part.replaceChildren(...fresh.childNodes);
  if (href !== null) {
    focusAgain(part, href);
  }
  return true;
}

async function refresh() {
  const answer = await fetch(location.href, { headers: { accept: "text/html" }, credentials: "same-origin" });
  if (answer.redirected) {  // the session is over
    location.reload();
    return;
  }
  if (!answer.ok) {
    return;
  }
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  localize(fresh);
  let changed = false;
  for (const part of document.querySelectorAll("[data-live]")) {
    const same = fresh.getElementById(part.id);
    if (same !== null && renew(part, same)) {
      changed = true;
    }
  }
  if (changed) {
    const said = document.getElementById("said");
    said.textContent = "";
    said.textContent = "The page was updated.";
  }
}

function listen() {
  const sign = document.getElementById("live-sign");
  let last = 0;
  let waiting = null;
  const later = () => {
    if (waiting === null && !document.hidden) {
      const pause = Math.max(0, last + LEAST_PAUSE - Date.now());
      waiting = setTimeout(async () => {
        last = Date.now();
        try {
          await refresh();
        } catch {
          // The next change, or the next connection, tries again.
        }
        waiting = null;
      }, pause);
    }
  };
  let events = null;
  const begin = () => {
    const listens = events !== null && events.readyState !== EventSource.CLOSED;
    if (listens || document.hidden) {
      return;
    }
    events = new EventSource("/live");
    events.addEventListener("open", () => {
      sign.textContent = "live";
      sign.classList.add("on");
      later();
    });
    events.addEventListener("error", () => {
      sign.textContent = "not live: reload the page";
      sign.classList.remove("on");
    });
    events.addEventListener("changed", later);
    // A browser opens few connections to a server: its newest pages have them.
    events.addEventListener("enough", () => end("not live: click here, or return to this page"));
  };
  const end = (words) => {
    events?.close();
    events = null;
    sign.textContent = words;
    sign.classList.remove("on");
  };
  begin();
  document.addEventListener("visibilitychange", () => {
    begin();
    later();
  });
  for (const back of ["focus", "click", "pageshow"]) {
    window.addEventListener(back, begin);
  }
  window.addEventListener("pagehide", () => end("not live"));
}

localize(document);
if (document.querySelector("[data-live]") !== null) {
  listen();
}
