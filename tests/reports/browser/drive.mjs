// Drives the pages as a reader would, offline, and prints what was seen as JSON: node drive.mjs CHROMIUM REPORT.html COMPARISON.html MORE.html…
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const [executablePath, report, comparison, ...more] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf-8");
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
const seen = { errors: [], loaded: [], axe: {} };

async function open(file, options = {}) {
  const context = await browser.newContext({ offline: true, viewport: { width: 1200, height: 900 }, ...options });
  const page = await context.newPage();
  page.on("pageerror", (error) => seen.errors.push(String(error)));
  page.on("console", (message) => { if (message.type() === "error") seen.errors.push(message.text()); });
  page.on("request", (request) => { if (request.url() !== pathToFileURL(file).href) seen.loaded.push(request.url()); });
  await page.goto(pathToFileURL(file).href);
  return page;
}

async function check(name, page) {
  await page.evaluate(axe);
  const { violations, passes } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  const where = (rule) => rule.nodes.map((node) => node.target.join(" ")).slice(0, 3);
  seen.axe[name] = { passes: passes.length, violations: violations.map((rule) => `${rule.id}: ${where(rule).join(", ")}`) };
}

const shown = (page) => page.locator(".requirement:visible").count();
const settled = (page) => page.evaluate(() => new Promise((done) => setTimeout(done)));

const page = await open(report);
await check("light", page);
seen.all = await shown(page);
await page.click(".chip[data-key=fail]");
seen.failing = await shown(page);
seen.said = await page.textContent("#shown");
await page.click("button[type=reset]");
await settled(page);
seen.reset = await shown(page);
await page.keyboard.press("/");
await page.keyboard.type("stream/war");
seen.found = await shown(page);
await page.fill("#text", "no such words");
seen.nothing = await page.isVisible("#nothing");
await page.click("button[type=reset]");
await settled(page);

const folded = await page.locator(".requirement:not([open])").first().getAttribute("id");
await page.locator(`[id="${folded}"] > summary`).focus();
await page.keyboard.press("Enter");
seen.unfolded = await page.evaluate((id) => document.getElementById(id).open, folded);
await page.click("#unfold");
seen.folded = await page.locator(".requirement:not([open])").count();
await check("unfolded", page);
await page.click("#unfold");
await page.evaluate(() => { location.hash = ""; });
await page.locator(".broken a").first().click();
seen.opened = await page.waitForFunction(() => document.getElementById(location.hash.slice(1))?.open, null, { timeout: 10_000 })
  .then(() => true, () => false);
await page.locator(".requirement[open] a", { hasText: "the whole exchange" }).first().click();
await page.waitForSelector(".exchange[open] pre");
const copy = page.locator(".requirement[open] .copy").first();
const told = copy.evaluate((button) => new Promise((done) => {
  new MutationObserver(() => done(button.textContent)).observe(button, { childList: true });
  button.dataset.watched = "";
}));
await page.waitForSelector(".requirement[open] .copy[data-watched]");
await copy.click();
seen.copied = await told;
await page.focus("#text");
await page.keyboard.press("Control+V");
seen.pasted = await page.inputValue("#text");
seen.command = await page.locator(".requirement[open] .copyable pre").first().textContent();
await page.click("button[type=reset]");
await settled(page);
await page.evaluate(() => document.activeElement.blur());
seen.focused = [];
for (let times = 0; times < 12; times += 1) {
  await page.keyboard.press("Tab");
  seen.focused.push(await page.evaluate(() => document.activeElement.tagName.toLowerCase()));
}
await page.click("#theme");
seen.theme = await page.evaluate(() => document.documentElement.style.colorScheme);
await page.emulateMedia({ media: "print" });
seen.printed = { filters: await page.isVisible("#filters"), failure: await page.locator(".requirement[data-outcome=fail] .got").first().isVisible() };
seen.pdf = (await page.pdf()).length;

const dark = await open(report, { colorScheme: "dark" });
await dark.click("#unfold");
await check("dark", dark);
const narrow = await open(report, { viewport: { width: 360, height: 800 } });
seen.overflow = await narrow.evaluate(() => document.documentElement.scrollWidth - innerWidth);
await check("narrow", narrow);
await check("comparison", await open(comparison));
await check("comparison, dark", await open(comparison, { colorScheme: "dark" }));
for (const file of more) {
  const name = basename(file, ".html");
  await check(name, await open(file));
  await check(`${name}, dark`, await open(file, { colorScheme: "dark" }));
  const narrow = await open(file, { viewport: { width: 360, height: 800 } });
  seen.overflow = Math.max(seen.overflow, await narrow.evaluate(() => document.documentElement.scrollWidth - innerWidth));
}
const bare = await open(report, { javaScriptEnabled: false });
seen.bare = { shown: await shown(bare), filters: await bare.isVisible("#filters"), proof: await bare.locator(".requirement[open] mark").first().isVisible() };
await browser.close();
process.stdout.write(JSON.stringify(seen));
