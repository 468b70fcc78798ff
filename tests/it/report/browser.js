// Opens pages in a browser at the widths of a phone and of a desk, and prints what it sees of each as JSON.
// Exits with 77 where there is no browser to be had.
async function launch() {
  const puppeteer = require("puppeteer-core");
  let chromium;
  try {
    chromium = require("@sparticuz/chromium");
    chromium = chromium.default || chromium;
  } catch {
    return puppeteer.launch({ executablePath: process.env.CHROME, args: ["--no-sandbox"] });
  }
  const args = [...chromium.args, "--no-sandbox"];
  return puppeteer.launch({ executablePath: await chromium.executablePath(), args, headless: "shell" });
}

function look() {
  const links = [...document.querySelectorAll('a[href^="#"]')];
  const leads = (link) => document.getElementById(decodeURIComponent(link.hash.slice(1)));
  return {
    width: document.documentElement.scrollWidth,
    links: links.length,
    dead: links.filter((link) => !leads(link)).length,
    text: document.body.innerText.length,
  };
}

(async () => {
  const browser = await launch().catch((error) => {
    console.error(String(error));
    process.exit(77);
  });
  const seen = [];
  for (const path of process.argv.slice(2)) {
    for (const width of [390, 1280]) {
      const page = await browser.newPage();
      const requests = [];
      const problems = [];
      page.on("request", (request) => requests.push(request.url()));
      page.on("console", (message) => problems.push(message.text()));
      page.on("pageerror", (error) => problems.push(String(error)));
      await page.setViewport({ width, height: 800 });
      await page.goto("file://" + path);
      const found = await page.evaluate(look);
      seen.push({ path, viewport: width, requests: requests.length, problems, ...found });
      await page.close();
    }
  }
  console.log(JSON.stringify(seen));
  await browser.close();
})();
