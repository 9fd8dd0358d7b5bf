// The walk in headless Chromium, in a page of another origin than the server's: the arguments and variables of walk.mjs, and
// CHROMIUM, if the browser is not where it usually is. Ends with 77, and says so, where there is no Chromium.
//
// No driver: the browser is started with the page's address, and the page reports to where it came from.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from './jsdom.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const { STENTOR_URL: url, STENTOR_ORG: org, STENTOR_APP: app, STENTOR_TOKEN: token } = process.env;
const [build, only] = process.argv.slice(2);
/** How long the whole walk may take, in milliseconds. */
const LIMIT_MS = 400_000;
const NO_BROWSER = 77;

const browser = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
  .find((path) => path && existsSync(path));
if (!browser) {
  console.log('SKIPPED: there is no Chromium (apt-get install chromium, or CHROMIUM=/path)');
  process.exit(NO_BROWSER);
}

const compressed = Boolean(process.env.STENTOR_COMPRESSED);
const config = { build, only, compressed, backend: { url, org, app, token, token007: process.env.STENTOR_TOKEN_007 ?? '' } };

/** What a page may have: the walk's own files, the SDK's, and what to do. */
function found(path) {
  if (path === '/') return ['text/html', '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/page.mjs"></script>'];
  if (path === '/config.json') return ['application/json', JSON.stringify(config)];
  if (path === '/sdk.js') return ['text/javascript', readFileSync(bundle(build))];
  const file = join(here, normalize(path));
  return /^\/(steps\/)?[a-z]+\.mjs$/.test(path) && existsSync(file) ? ['text/javascript', readFileSync(file)] : undefined;
}

const heard = (request) => new Promise((resolve) => {
  let text = '';
  request.on('data', (data) => { text += data; });
  request.on('end', () => resolve(text));
});

const ended = new Promise((resolve) => {
  const server = createServer(async (request, response) => {
    if (request.method === 'POST') {
      const text = await heard(request);
      response.end();
      if (request.url === '/told') console.log(text);
      if (request.url === '/done') resolve(Number(text));
      return;
    }
    const answer = found(request.url.split('?')[0]);
    response.writeHead(answer ? 200 : 404, { 'Content-Type': answer?.[0] ?? 'text/plain' });
    response.end(answer?.[1]);
  });
  server.listen(0, '127.0.0.1', () => start(`http://127.0.0.1:${server.address().port}/`));
  setTimeout(() => { console.log(`FAILED ${build}: Chromium did not come to an end`); resolve(1); }, LIMIT_MS);
});

const profile = mkdtempSync(join(tmpdir(), 'stentor-chromium-'));
let child;
function start(address) {
  // Its sandbox does not work as root; the page is ours.
  const flags = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-extensions', '--mute-audio', `--user-data-dir=${profile}`];
  // A group of its own: its helper processes write into the profile, and outlive it for a moment.
  child = spawn(browser, [...flags, address], { stdio: 'ignore', detached: true });
  child.on('error', (error) => console.log(`FAILED ${build}: ${error}`));
}

/** Whether a process of the browser's group is still there. */
function isAlive() {
  try {
    process.kill(-child.pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Ends the browser with all its processes, and takes its profile away. What is left of it does not make the walk fail. */
async function cleanUp() {
  if (child?.pid) {
    for (let tries = 0; isAlive() && tries < 100; tries += 1) {
      try { process.kill(-child.pid, 'SIGKILL'); } catch { /* Gone in the meantime. */ }
      await new Promise((resolve) => { setTimeout(resolve, 50); });
    }
  }
  try {
    rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  } catch (error) {
    console.log(`left behind: ${error.message}`);
  }
}

const failed = await ended;
await cleanUp();
process.exit(failed === 0 ? 0 : 1);
