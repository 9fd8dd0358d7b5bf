// Loads a published SDK, untouched, into a page of jsdom of its own.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { JSDOM, VirtualConsole } from 'jsdom';

const require = createRequire(import.meta.url);

/** The file of an installed SDK. */
export function bundle(build) {
  const { main } = require(`./node_modules/${build}/package.json`);
  return require.resolve(`./node_modules/${build}/${main}`);
}

/** A page with an SDK in it. */
export function place(build, origin) {
  const source = readFileSync(bundle(build), 'utf8');
  const dom = new JSDOM('<!doctype html><p>', {
    url: `${origin}/`, runScripts: 'outside-only', virtualConsole: new VirtualConsole(),
  });
  // jsdom has none; the SDK asks for one before it uploads what it combined, and never opens it.
  dom.window.URL.createObjectURL = () => 'blob:nowhere';
  // What a bundler gives to a module of the CommonJS kind.
  const load = dom.window.eval('(function (source) { const module = { exports: {} };'
    + ' (new Function("module", "exports", source))(module, module.exports); return module.exports; })');
  const loaded = load(source);
  const sdk = loaded.default ?? loaded;
  sdk.logger?.disableAll?.();
  return { sdk, window: dom.window, close: () => dom.window.close() };
}
