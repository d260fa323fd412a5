// Drives Locust's page as a user would, and prints what was seen as JSON: node locust.mjs CHROMIUM URL [FOLDER for pictures]
import { chromium } from "playwright-core";

const [executablePath, url, folder] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
const context = await browser.newContext({ viewport: { width: 1300, height: 1000 } });
const page = await context.newPage();
page.setDefaultTimeout(60_000);
const seen = { errors: [], elsewhere: [], tables: {} };
page.on("pageerror", (error) => seen.errors.push(String(error)));
page.on("request", (request) => { if (!request.url().startsWith(url)) seen.elsewhere.push(request.url()); });

const tab = (name) => page.getByRole("tab", { name }).click();
const rows = () => page.$$eval("table tr", (all) => all.map((row) => [...row.children].map((cell) => cell.textContent)));
const picture = (name) => folder && page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });

await page.goto(url);
seen.secret = (await page.content()).includes("key-valid");
await page.fill("[name=userCount]", "4");
await page.fill("[name=spawnRate]", "4");
await page.getByText("Custom parameters").click();
await page.fill("[name=chatproofObjective]", "tftt p95 < 1s");
await page.getByRole("button", { name: "Start" }).click();
seen.refused = await page.getByText("did you mean 'ttft'").textContent();
await picture("refused");
await page.fill("[name=chatproofObjective]", "ok > 1%, ttft p95 < 60s");
await page.getByRole("button", { name: "Start" }).click();

await tab("Streaming");
await page.waitForFunction(() => Number(document.querySelector("table tbody tr td:nth-child(3)")?.textContent) >= 20);
seen.tables.streaming = await rows();
await picture("streaming");
await tab("Limits");
await page.waitForSelector("table tbody tr td");
seen.tables.limits = await rows();
await picture("limits");
await tab("Correctness");
await page.waitForSelector("table tbody tr td");
seen.tables.running = await rows();
await page.getByRole("button", { name: "Stop" }).click();
await page.getByRole("button", { name: "New" }).waitFor();
await page.waitForFunction(() => document.querySelector("table tbody tr td")?.textContent === "verdict");
seen.tables.stopped = await rows();
await picture("correctness");
await tab("Download Data");
seen.links = await page.$$eval("a[href*=chatproof]", (all) => all.map((link) => new URL(link.href).pathname));
if (folder) {
  await page.emulateMedia({ colorScheme: "dark" });
  await page.goto(`${url}?tab=chatproof-correctness`);
  await page.waitForSelector("table tbody tr td");
  await picture("dark");
}
await browser.close();
process.stdout.write(JSON.stringify(seen));
