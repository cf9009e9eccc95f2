// Everything here is a comfort: each page works without it.
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });

// Exact times on hover, in the reader's own zone.
function localTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) time.title = exact.format(new Date(time.dateTime));
}

// The log keeps its end in view, until the reader scrolls up; scrolling down again takes it up.
function follow(log) {
  let atEnd = true;
  const toEnd = () => { if (atEnd) log.scrollTop = log.scrollHeight; };
  log.addEventListener("scroll", () => { atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 24; });
  new MutationObserver(toEnd).observe(log, { childList: true, subtree: true });
  toEnd();
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

// One press, one request.
addEventListener("submit", (event) => {
  if (event.target.method === "post") setTimeout(() => { for (const button of event.target.querySelectorAll("[type=submit]")) button.disabled = true; });
});

function filterOnChange(form) {
  form.addEventListener("change", () => form.requestSubmit());
}

document.addEventListener("DOMContentLoaded", () => {
  localTimes(document);
  document.addEventListener("htmx:after:swap", () => localTimes(document));
  document.querySelectorAll("[data-follow]").forEach(follow);
  document.querySelectorAll("[data-shown-with]").forEach(belongsTo);
  document.querySelectorAll("[data-expected]").forEach(typedName);
  document.querySelectorAll("form[data-filter]").forEach(filterOnChange);
  document.querySelector("[data-theme-switch]")?.addEventListener("click", () => {
    const next = document.documentElement.dataset.bsTheme === "dark" ? "light" : "dark";
    localStorage.setItem("theme", next);
    document.documentElement.dataset.bsTheme = next;
  });
});

// Back from the browser's page cache: buttons that were pressed must work again.
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
