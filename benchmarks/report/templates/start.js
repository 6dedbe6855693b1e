document.querySelectorAll("table.sortable").forEach(makeSortable);
document.querySelectorAll("figure.chart").forEach((node) => new Figure(node, data.charts[Number(node.dataset.chart)]));
chosen.start();
runTable.start();
// On paper every group is open.
window.addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((group) => { group.open = true; }));
