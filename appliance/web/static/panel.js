// Everything here is a comfort: each page works without it.
const spoken = document.documentElement.lang;
const locale = navigator.languages.find((one) => one.split("-")[0] === spoken) ?? spoken; // en-GB rather than en
const exact = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "long" });

// Exact times on hover, in the reader's own zone.
function localTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) time.title = exact.format(new Date(time.dateTime));
}

// The log keeps its end in view, until the reader scrolls up; scrolling down again takes it up.
// Of a long one the newest lines are kept: more while somebody reads further up, so that what is read stays where it is.
// What comes faster than it can be drawn is drawn together, and leaves three quarters of the time to everything else. In such a rush only
// the last screens are drawn; what is missing before them comes when the rush is over, or as soon as the reader scrolls up.
const KEPT_LINES = 1000;
const DRAWN_IN_A_RUSH = 200;
const RUSH_IS_OVER_MS = 400;
const KEPT_WHILE_READING = 20000;
const LEAST_PAUSE_MS = 50;

function follow(log) {
  let atEnd = true;
  let waiting = [];
  let recent = Array.from(log.children, (line) => line.outerHTML); // the newest lines, drawn or not
  let due = false;
  let calm;
  const earlier = document.querySelector("[data-earlier]");
  const most = () => (atEnd ? KEPT_LINES : KEPT_WHILE_READING);
  const countEarlier = (count) => {
    if (!count) return;
    earlier.dataset.earlier = Number(earlier.dataset.earlier) + count;
    earlier.querySelector("output").textContent = earlier.dataset.earlier;
    earlier.hidden = earlier.dataset.earlier === "0";
  };
  const shorten = () => {
    const over = log.childElementCount - most();
    if (over <= 0) return;
    const range = document.createRange();
    range.setStart(log, 0);
    range.setEndAfter(log.children[over - 1]);
    range.deleteContents();
    countEarlier(over);
  };
  const complete = () => {
    const missing = recent.slice(0, Math.max(0, recent.length - log.childElementCount));
    log.insertAdjacentHTML("afterbegin", missing.join(""));
    countEarlier(-missing.length);
    if (atEnd) log.scrollTop = log.scrollHeight;
  };
  const append = (lines) => {
    const drawn = lines.slice(atEnd ? -DRAWN_IN_A_RUSH : -KEPT_WHILE_READING);
    const passedOver = lines.length - drawn.length;
    if (passedOver) {
      countEarlier(passedOver + log.childElementCount);
      log.replaceChildren();
    }
    log.insertAdjacentHTML("beforeend", drawn.join(""));
    recent = recent.concat(lines).slice(-KEPT_LINES);
  };
  const draw = () => {
    const began = performance.now();
    const lines = waiting.join("").split(/(?<=<\/span>)/); // their texts are escaped, so this ends each line and nothing else
    waiting = [];
    append(lines);
    shorten();
    if (atEnd) log.scrollTop = log.scrollHeight;
    clearTimeout(calm);
    calm = setTimeout(complete, RUSH_IS_OVER_MS);
    setTimeout(() => { due = false; plan(); }, Math.max(LEAST_PAUSE_MS, 3 * (performance.now() - began)));
  };
  const plan = () => {
    if (due || !waiting.length) return;
    due = true;
    if (document.hidden) setTimeout(draw);
    else requestAnimationFrame(draw);
  };
  log.addEventListener("scroll", () => {
    atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 24;
    if (!atEnd) complete();
  });
  log.addEventListener("lines", (event) => { waiting.push(event.detail.data); plan(); });
  log.addEventListener("end", (event) => { if (event.detail.data === "revoked") location.reload(); }); // to the page that asks who it is
  log.scrollTop = log.scrollHeight;
}

// A button that destroys something wakes up when the name is typed; the panel checks again.
function typedName(field) {
  const button = field.form.querySelector("[type=submit]:not([formaction])"); // one with its own address only looks
  const check = () => { button.disabled = !field.disabled && field.value !== field.dataset.expected; };
  field.form.addEventListener("input", check);
  field.form.addEventListener("change", check);
  check();
}

// A field that belongs to one choice is shown with that choice only.
function belongsTo(part) {
  const form = part.closest("form");
  const [name, value] = part.dataset.shownWith.split("=");
  const show = () => {
    part.hidden = new FormData(form).get(name) !== value;
    for (const field of part.querySelectorAll("input, select, textarea")) field.disabled = part.hidden;
  };
  form.addEventListener("change", show);
  show();
}

// What was refused is where the reader goes on; who does not see it is told what is wrong there.
function refused(fields) {
  for (const field of fields) {
    const told = field.parentElement.querySelector(".invalid-feedback");
    field.setAttribute("aria-invalid", "true");
    if (!told) continue;
    told.id ||= `${field.id}-problem`;
    field.setAttribute("aria-describedby", told.id);
  }
  fields[0]?.focus();
}

// One press, one request.
addEventListener("submit", (event) => {
  if (event.target.method === "post") setTimeout(() => { for (const button of event.target.querySelectorAll("[type=submit]")) button.disabled = true; });
});

function filterOnChange(form) {
  form.addEventListener("change", () => form.requestSubmit());
}

// Ctrl K finds anything: arrows go through what was found, Enter goes to the first of it.
function palette(dialog) {
  const field = dialog.querySelector("input");
  const links = () => [...dialog.querySelectorAll("a")];
  const ask = () => { // again, where the page was not ready yet or the answer was lost
    if (!dialog.open || field.value || links().length) return;
    field.dispatchEvent(new Event("palette-open"));
    setTimeout(ask, 500);
  };
  const open = () => {
    dialog.showModal();
    field.select();
    ask();
  };
  document.querySelector("[data-palette]").addEventListener("click", (event) => { event.preventDefault(); open(); });
  addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "k") { event.preventDefault(); open(); }
  });
  dialog.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const stops = [field, ...links()];
    stops[(stops.indexOf(document.activeElement) + step + stops.length) % stops.length].focus();
  });
  dialog.addEventListener("submit", (event) => {
    const [first] = links();
    if (first) { event.preventDefault(); first.click(); }
  });
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
}

document.addEventListener("DOMContentLoaded", () => {
  localTimes(document);
  document.addEventListener("htmx:after:swap", () => localTimes(document));
  document.querySelectorAll("dialog.palette").forEach(palette);
  document.querySelectorAll("[data-follow]").forEach(follow);
  document.querySelectorAll("[data-shown-with]").forEach(belongsTo);
  document.querySelectorAll("[data-expected]").forEach(typedName);
  document.querySelectorAll("form[data-filter]").forEach(filterOnChange);
  refused(document.querySelectorAll(":is(input, select, textarea).is-invalid"));
  document.querySelector("[data-theme-switch]")?.addEventListener("click", (event) => { // what is seen, which the panel may not know
    event.currentTarget.value = document.documentElement.dataset.bsTheme === "dark" ? "light" : "dark";
  });
});

// Back from the browser's page cache: buttons that were pressed must work again.
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
