// Opens the worker's page in Debian's Chromium and waits until it shows what it is told to expect.
//
//   node page.cjs URL 'SELECTOR => TEXT'...
//
// Each expectation is a CSS selector and a text that its element must come to hold. Whatever the page writes to its
// console as an error, or throws, is a failure. NODE_PATH names the folder with playwright-core.
"use strict";
const { chromium } = require("playwright-core");

const PATIENCE = 60000;

async function main([url, ...expectations]) {
  const browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-quic",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  try {
    const page = await browser.newPage();
    const errors = [];
    page.on("pageerror", error => errors.push(String(error)));
    page.on("console", message => {
      if (message.type() === "error") errors.push(`${message.text()} (${message.location().url})`);
    });
    await page.goto(url, { timeout: PATIENCE });
    for (const expectation of expectations) {
      const [selector, text] = expectation.split(" => ");
      await page
        .locator(selector)
        .filter({ hasText: text })
        .first()
        .waitFor({ timeout: PATIENCE })
        .catch(async () => {
          const there = await page.locator("body").innerText();
          throw new Error(`${selector} does not come to hold ${JSON.stringify(text)}. The page:\n${there}`);
        });
    }
    if (errors.length > 0) throw new Error(`the page's own errors: ${errors.join("; ")}`);
    console.log(`${expectations.length} expectations met`);
  } finally {
    await browser.close();
  }
}

main(process.argv.slice(2)).catch(error => {
  console.error(error.message);
  process.exit(1);
});
