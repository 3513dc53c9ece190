// The page works without this file, then as of loading. Here: the notices of the ledger, the countdown, copying, and the dialog.
"use strict";
(() => {
  const body = document.body;

  // Time runs on by the ledger clock as of loading.
  const loaded = Date.now();
  let clock = Number(body.dataset.clock);
  const two = (n) => String(n).padStart(2, "0");
  const tick = () => {
    if (!clock) return;
    const now = clock + Date.now() - loaded;
    for (const time of document.querySelectorAll("time[data-until]")) {
      const left = Math.floor((Number(time.dataset.until) - now) / 1000);
      if (left < 3600 && left >= 0) time.textContent = Math.floor(left / 60) + ":" + two(left % 60);
    }
  };
  setInterval(tick, 1000);

  // The reader's time zone, from the next page on.
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "";
  const kept = "zone=" + encodeURIComponent(zone);
  if (zone && !document.cookie.split("; ").includes(kept)) document.cookie = kept + "; path=/; max-age=31536000; samesite=lax";

  const prepare = (root) => {
    for (const button of root.querySelectorAll("[data-copy]")) button.hidden = !navigator.clipboard;
  };
  prepare(document);

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) {
      navigator.clipboard.writeText(button.dataset.copy).then(() => {
        const text = button.textContent;
        button.textContent = body.dataset.copied;
        setTimeout(() => { button.textContent = text; }, 1500);
      });
      return;
    }
    if (event.target.closest("[data-back]") && history.length > 1) {
      event.preventDefault();
      history.back();
    }
  });

  // A file that is dropped onto a form that takes one.
  const over = (event) => document.querySelector("form[data-drop]") && [...event.dataTransfer.types].includes("Files");
  document.addEventListener("dragover", (event) => {
    if (over(event)) { event.preventDefault(); document.querySelector("form[data-drop]").classList.add("dropping"); }
  });
  document.addEventListener("drop", (event) => {
    if (!over(event)) return;
    event.preventDefault();
    const form = document.querySelector("form[data-drop]");
    form.classList.remove("dropping");
    form.querySelector("input[type=file]").files = event.dataTransfer.files;
    form.requestSubmit();
  });

  // A question opens above the page; without this file it is a page of its own.
  document.addEventListener("click", async (event) => {
    const link = event.target.closest("a[data-ask]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    try {
      const answer = await fetch(link.href);
      const asked = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector(".ask");
      if (!answer.ok || !asked) throw new Error();
      const dialog = document.createElement("dialog");
      dialog.append(document.importNode(asked, true));
      dialog.addEventListener("close", () => { dialog.remove(); link.focus(); });
      dialog.addEventListener("click", (e) => {
        if (e.target === dialog || e.target.closest("[data-no]")) { e.preventDefault(); dialog.close(); }
      });
      body.append(dialog);
      dialog.showModal();
      dialog.querySelector("[autofocus]")?.focus();
    } catch { location.href = link.href; }
  });

  // A form that moves money is sent once.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "1";
    setTimeout(() => { delete form.dataset.sent; }, 5000);
  });

  // Live.
  const about = body.dataset.live;
  if (!about) return;
  let busy = false, again = false, last = 0, retry = 0;
  const typing = () => {
    const at = document.activeElement;
    return document.querySelector("dialog") || at && at.matches("main input, main textarea, main select") ||
      [...document.querySelectorAll("main input:not([type=hidden]), main textarea")].some((field) => field.value !== field.defaultValue);
  };
  const refresh = async () => {
    if (busy) { again = true; return; }
    busy = true;
    try {
      const wait = last + (kind === "blocks" ? 5000 : 700) - Date.now();
      if (wait > 0) await new Promise((done) => setTimeout(done, wait));
      last = Date.now();
      const answer = await fetch(location.href, { headers: { "X-Lockstep-Refresh": "1" }, redirect: "manual" });
      if (answer.status === 401) { location.reload(); return; }
      const next = new DOMParser().parseFromString(await answer.text(), "text/html");
      const main = document.querySelector("main"), off = next.querySelector(".off");
      if (answer.status >= 500 && !main.querySelector(".err")) { // keep what there is, and say of when it is
        body.classList.add("stale");
        if (off && !main.querySelector(".off")) main.prepend(document.importNode(off, true));
        swap(document.querySelector("#live"), next.querySelector("#live"));
        return;
      }
      body.classList.remove("stale");
      swap(document.querySelector("#live"), next.querySelector("#live"));
      swap(document.querySelector(".nav"), next.querySelector(".nav"));
      if (!typing()) {
        const open = [...document.querySelectorAll("main details")].map((d) => d.open);
        if (swap(document.querySelector("main"), next.querySelector("main"))) document.querySelectorAll("main details").forEach((d, i) => { d.open = open[i]; });
      }
      if (next.body.dataset.clock !== "0") clock = Number(next.body.dataset.clock) - (Date.now() - loaded);
    } catch { /* the server is away: the stream comes back by itself */ } finally {
      busy = false;
      clearTimeout(retry);
      if (document.querySelector(".off")) retry = setTimeout(refresh, 3000);
      if (again) { again = false; refresh(); }
    }
  };
  const swap = (old, fresh) => {
    if (!old || !fresh || old.innerHTML === fresh.innerHTML) return false;
    const held = document.activeElement, path = held && old.contains(held) && held.getAttribute("href");
    old.replaceChildren(...document.importNode(fresh, true).childNodes);
    old.className = fresh.className;
    prepare(old);
    if (path) old.querySelector('a[href="' + CSS.escape(path).replace(/\\\//g, "/") + '"]')?.focus();
    return true;
  };
  const [kind, what] = about.split(":");
  const concerns = (notice) => {
    if (kind === "blocks" || kind === "town") return true;
    const list = { trade: notice.trades, key: notice.keys, product: notice.products }[kind] || [];
    return list.includes(what) || list.includes("*");
  };
  if (document.querySelector(".off")) retry = setTimeout(refresh, 3000);
  let pulse = 0;
  const take = (notice) => {
    if (concerns(notice)) { refresh(); return; }
    if (Date.now() - pulse > 10000) { pulse = Date.now(); refresh(); }
  };
  // One tab holds the stream for all: a browser opens few connections to one server.
  const channel = "BroadcastChannel" in window ? new BroadcastChannel("lockstep-live") : null;
  const follow = () => new Promise(() => {
    const stream = new EventSource("/live");
    let lost = false;
    stream.onmessage = (message) => {
      channel?.postMessage(message.data);
      take(JSON.parse(message.data));
    };
    stream.onerror = () => { if (!lost) { lost = true; refresh(); } };
    stream.onopen = () => { if (lost) { lost = false; refresh(); channel?.postMessage('{"trades":["*"],"keys":["*"],"products":["*"]}'); } };
  });
  if (channel && navigator.locks) {
    channel.onmessage = (message) => take(JSON.parse(message.data));
    navigator.locks.request("lockstep-live", follow);
  } else {
    setInterval(() => { if (!document.hidden) refresh(); }, 5000);
  }
})();
