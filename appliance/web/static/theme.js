// Runs before the first paint, so that a page that follows the device never flashes in the other theme. A chosen one comes from the panel.
(() => {
  const root = document.documentElement;
  if (root.dataset.theme !== "device") return;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => { root.dataset.bsTheme = dark.matches ? "dark" : "light"; };
  dark.addEventListener("change", apply);
  apply();
})();
