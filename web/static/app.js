// SPDX-License-Identifier: Apache-2.0
// Belfry's page script: live cards, presses, forms, times. All HTML comes
// rendered and escaped from the server; texts are set as text.
"use strict";
(() => {
  const $ = (sel, from = document) => from.querySelector(sel);
  const $$ = (sel, from = document) => [...from.querySelectorAll(sel)];
  const policy = window.trustedTypes?.createPolicy("belfry", { createHTML: (s) => s }) ?? { createHTML: (s) => s };

  // fragment turns one rendered element into a node. A template is inert:
  // nothing in it loads or runs.
  const fragment = (html) => {
    const t = document.createElement("template");
    t.innerHTML = policy.createHTML(html);
    return t.content.firstElementChild;
  };

  // ---- times, in the reader's time zone
  const pad = (n) => String(n).padStart(2, "0");
  const local = (d) => {
    const time = pad(d.getHours()) + ":" + pad(d.getMinutes());
    if (d.toDateString() === new Date().toDateString()) return time;
    return d.getFullYear() + "-" + pad(d.getMonth() + 1) + "-" + pad(d.getDate()) + " " + time;
  };
  const ago = (d) => {
    const s = Math.max(0, (Date.now() - d) / 1000);
    if (s < 60) return "now";
    if (s < 3600) return Math.floor(s / 60) + " min";
    if (s < 86400) return Math.floor(s / 3600) + " h";
    return Math.floor(s / 86400) + " d";
  };
  const times = (from = document) => {
    for (const t of $$("time[datetime]", from)) {
      const d = new Date(t.dateTime);
      if (isNaN(d)) continue;
      t.textContent = "ago" in t.dataset ? ago(d) : "full" in t.dataset ? local(d) + ":" + pad(d.getSeconds()) : local(d);
      t.title = d.toLocaleString();
    }
  };
  times();
  setInterval(times, 30000);

  // What people type as a time is meant in their zone, as what they read is.
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone) {
    for (const input of $$("input[name=zone]")) input.value = zone;
    for (const text of $$("[data-zone]")) text.textContent = zone;
  }

  // ---- toasts
  const toast = (text) => {
    if (!text) return;
    const box = document.createElement("div");
    box.className = "toast";
    const p = document.createElement("p");
    p.textContent = text;
    const close = document.createElement("button");
    close.type = "button";
    close.textContent = "×";
    close.setAttribute("aria-label", "Close this message");
    close.onclick = () => box.remove();
    box.append(p, close);
    $("#toasts").append(box);
    setTimeout(() => box.remove(), 8000 + 60 * text.length);
  };

  // ---- cards
  const room = $("#room");
  const lists = room && { open: $("#open"), over: $("#over") };
  const touched = (card) => card.contains(document.activeElement) || $("#lists").matches(":hover");
  let unseen = 0;
  const title = document.title;

  const counts = () => {
    for (const [name, list] of Object.entries(lists)) {
      const n = $$(".card", list).length;
      list.hidden = n === 0;
      $("[data-count]", list).textContent = n;
    }
    $("#calm").hidden = !lists.open.hidden;
  };

  // settle moves cards to the list they belong to, but not while somebody's
  // pointer or focus is on them: a button must not jump from under a finger.
  const settle = () => {
    for (const card of $$(".card", $("#lists"))) {
      const list = "open" in card.dataset ? lists.open : lists.over;
      if (card.closest(".list") === list || touched(card)) continue;
      place(card, list);
    }
    counts();
  };
  const place = (card, list) => {
    const after = $$(".card", list).find((c) => BigInt(c.dataset.id) < BigInt(card.dataset.id));
    after ? after.before(card) : list.append(card);
  };

  const say = (text) => { $("#news").textContent = text; };

  const put = ({ id, html }) => {
    const card = fragment(html);
    const old = $("#card-" + id);
    if (old && Number(old.dataset.version) > Number(card.dataset.version)) return;
    times(card);
    if (!old) {
      if (room.dataset.older) return; // an older page does not grow
      place(card, "open" in card.dataset ? lists.open : lists.over);
      card.classList.add("fresh");
      if (document.hidden) document.title = "(" + ++unseen + ") " + title;
    } else {
      const focus = old.contains(document.activeElement) ? document.activeElement : null;
      if ($(".thread", old)?.open && $(".thread", card)) $(".thread", card).open = true;
      old.replaceWith(card);
      if (focus) ($$("button", card).find((b) => b.value === focus.value) ?? card).focus({ preventScroll: true });
    }
    say(card.getAttribute("aria-label"));
    settle();
  };

  const reload = () => {
    if ($("dialog[open]")) return setTimeout(reload, 3000); // somebody is typing
    setTimeout(() => location.reload(), 300 + Math.random() * 1500);
  };

  // ---- live updates
  let source, position = room?.dataset.position, heard = Date.now();
  const lost = (is) => { $("#lost").hidden = !is; };
  const listen = () => {
    source?.close();
    heard = Date.now();
    source = new EventSource("/room/events?channel=" + encodeURIComponent(room.dataset.channel) + "&after=" + encodeURIComponent(position));
    const on = (name, act) => source.addEventListener(name, (e) => {
      heard = Date.now();
      if (e.lastEventId) position = e.lastEventId;
      act(e.data ? JSON.parse(e.data) : {});
    });
    source.onopen = () => { heard = Date.now(); lost(false); };
    source.onerror = () => lost(true);
    on("beat", () => lost(false));
    on("card", put);
    on("gone", ({ id }) => { $("#card-" + id)?.remove(); counts(); });
    on("head", ({ html, archived }) => {
      const head = $("#head");
      if (Boolean(archived) !== ("archived" in head.dataset)) return reload(); // cards and the line change, too
      const open = $("details", head)?.open;
      const fresh = fragment(html);
      head.replaceWith(fresh);
      if (open && $("details", fresh)) $("details", fresh).open = true;
    });
    on("elsewhere", ({ channel, quiet }) => {
      const link = $$("#channels a").find((a) => a.dataset.channel === channel);
      if (!link) reload();
      else if (!quiet) link.classList.add("news");
    });
    on("reload", () => { source.close(); reload(); });
  };
  if (room) {
    listen();
    // The browser tries again by itself after most breaks; a refused answer or
    // a connection that hangs needs help.
    setInterval(async () => {
      if (source.readyState !== EventSource.CLOSED && Date.now() - heard < 60000) return;
      lost(true);
      const door = await fetch("/alerts", { method: "HEAD", redirect: "manual" }).catch(() => null);
      if (door?.type === "opaqueredirect") reload(); // signed out
      else listen();
    }, 5000);
    $("#lists").addEventListener("pointerleave", settle);
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) return;
      unseen = 0;
      document.title = title;
    });
  }

  // ---- presses and forms
  const send = async (form, data) => {
    try {
      const answer = await fetch(form.getAttribute("action"), {
        method: "POST", body: new URLSearchParams(data), headers: { Accept: "application/json" }, redirect: "error",
      });
      const kind = answer.headers.get("Content-Type") ?? "";
      if (!kind.startsWith("application/json")) return { whisper: await answer.text() };
      return await answer.json();
    } catch {
      return { failed: true, whisper: "Belfry did not answer. It is not certain whether this arrived: look at the card before you press again." };
    }
  };

  const busy = { ack: "acknowledging…", unack: "removing…" };
  const press = async (form, button) => {
    const card = form.closest(".card");
    const label = button.textContent;
    const data = new FormData(form, button);
    const buttons = $$("button", form);
    buttons.forEach((b) => { b.setAttribute("aria-disabled", "true"); });
    form.dataset.busy = "";
    if (busy[button.value]) {
      button.textContent = busy[button.value];
      say(busy[button.value]);
    }
    const answer = await send(form, data);
    toast(answer.whisper);
    if (answer.form) open(answer.form, button.value, card.id);
    const free = () => {
      if (!form.isConnected) return;
      delete form.dataset.busy;
      button.textContent = label;
      buttons.forEach((b) => b.removeAttribute("aria-disabled"));
    };
    // Without news the buttons come back at once; else the card itself is on its way.
    answer.whisper || answer.form ? free() : setTimeout(free, 10000);
  };

  const open = (html, action, cardID) => {
    const box = document.createElement("dialog");
    const form = fragment(html);
    box.append(form);
    document.body.append(box);
    box.addEventListener("close", () => {
      box.remove();
      ($$("#" + cardID + " button").find((b) => b.value === action) ?? $("#" + cardID))?.focus({ preventScroll: true });
    });
    box.addEventListener("cancel", () => { send($("form", box), new FormData($("form", box), $("[name=cancel]", box))); });
    box.showModal();
    $("textarea, input:not([type=hidden])", box)?.focus();
  };

  const submit = async (form, button) => {
    const box = form.closest("dialog");
    const cancelled = button?.name === "cancel";
    const data = button ? new FormData(form, button) : new FormData(form);
    if (cancelled) box.close();
    if ("busy" in form.dataset) return;
    form.dataset.busy = "";
    const answer = await send(form, data);
    delete form.dataset.busy;
    toast(answer.whisper);
    if (cancelled) return;
    if (answer.form) {
      const again = fragment(answer.form);
      form.replaceWith(again);
      const field = $(".wrong textarea, .wrong input", again);
      field?.focus();
      field?.setSelectionRange(field.value.length, field.value.length);
    } else if (!answer.failed) {
      box.close();
    }
  };

  document.addEventListener("submit", (e) => {
    const form = e.target;
    if (form.matches(".card form.buttons")) {
      e.preventDefault();
      if (!("busy" in form.dataset)) press(form, e.submitter ?? $("button", form));
    } else if (form.matches("dialog form.dialog")) {
      e.preventDefault();
      submit(form, e.submitter);
    } else if (form.dataset.sure && !confirm(form.dataset.sure)) {
      e.preventDefault();
    }
  });
})();
