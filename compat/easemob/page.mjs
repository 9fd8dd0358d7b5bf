// The walk in a browser's page: chromium.mjs says what to do, and is told what was done.
import { Backend } from './backend.mjs';
import { stepsOf } from './steps.mjs';
import { USERS, World, run } from './world.mjs';

const config = await (await fetch('/config.json')).json();
const source = await (await fetch('/sdk.js')).text();
let telling = Promise.resolve();
const tell = (path, body) => { telling = telling.then(() => fetch(path, { method: 'POST', body: `${body}` })); };

/** Something like the storage of a page. */
class Store {
  getItem(key) { return Object.hasOwn(this, key) ? this[key] : null; }

  setItem(key, value) { this[key] = `${value}`; }

  removeItem(key) { delete this[key]; }
}

/** A page within the page, so that clients do not share what an SDK keeps. */
function open() {
  const frame = document.createElement('iframe');
  document.body.append(frame);
  const window = frame.contentWindow;
  // With the address of this page.
  window.document.open();
  window.document.write('<!doctype html><p>');
  window.document.close();
  // The SDK keeps there which device it is: pages of one browser are one, and these are to be several.
  Object.defineProperty(window, 'localStorage', { value: new Store() });
  // What a bundler gives to a module of the CommonJS kind.
  const load = window.eval('(function (source) { const module = { exports: {} };'
    + ' (new Function("module", "exports", source))(module, module.exports); return module.exports; })');
  const loaded = load(source);
  const sdk = loaded.default ?? loaded;
  sdk.logger?.disableAll?.();
  return { sdk, window, close: () => frame.remove() };
}

let failed = 1;
try {
  const backend = new Backend(config.backend);
  await backend.register(...USERS);
  const world = new World({ build: config.build, backend, open, browser: true, compressed: config.compressed });
  tell('/told', `a page of ${location.origin}, a server at ${backend.url}: ${navigator.userAgent}`);
  failed = await run(world, stepsOf(config.build), { only: config.only, say: (line) => tell('/told', line) });
} catch (error) {
  tell('/told', `FAILED ${config.build}: ${error?.stack ?? error}`);
}
tell('/done', failed);
