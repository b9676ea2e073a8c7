(() => {
  const filter = document.getElementById("filter");
  const articles = [...document.querySelectorAll("article")];
  function apply() {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const article of articles) {
      const text = article.textContent.toLowerCase();
      article.hidden = !words.every((word) => text.includes(word));
      shown += article.hidden ? 0 : 1;
    }
    for (const heading of document.querySelectorAll(".module")) {
      heading.hidden = [...heading.querySelectorAll("article")].every((article) => article.hidden);
    }
    document.getElementById("shown").textContent = `${shown} of ${articles.length}`;
  }
  if (filter) {
    filter.hidden = false;
    filter.addEventListener("input", apply);
    document.addEventListener("click", (event) => {
      const link = event.target.closest("a[data-filter]");
      if (link) { filter.value = link.dataset.filter; apply(); }
    });
  }
})();
