// Loads a published SDK, untouched, into a page of jsdom of its own, and wraps a connection so that a test can wait for
// what its handlers are told.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { JSDOM, VirtualConsole } from 'jsdom';

const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(import.meta.url);

/** How long anything may take, in milliseconds. */
export const DEADLINE = 15_000;

/** The names of the installed SDKs. */
export function builds() {
  const { dependencies } = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8'));
  return Object.keys(dependencies).filter((name) => name !== 'jsdom');
}

/** A page with an SDK in it. */
export function page(build, origin) {
  const main = JSON.parse(readFileSync(join(here, 'node_modules', build, 'package.json'), 'utf8')).main;
  const source = readFileSync(require.resolve(`./node_modules/${build}/${main}`), 'utf8');
  const virtualConsole = new VirtualConsole();
  const dom = new JSDOM('<!doctype html><p>', { url: `${origin}/`, runScripts: 'outside-only', virtualConsole });
  // What a bundler gives to a module of the CommonJS kind.
  const load = dom.window.eval('(function (source) { const module = { exports: {} };'
    + ' (new Function("module", "exports", source))(module, module.exports); return module.exports; })');
  const loaded = load(source);
  const sdk = loaded.default ?? loaded;
  if (sdk.logger?.disableAll) sdk.logger.disableAll();
  return { sdk, dom };
}

/** One client: an SDK's connection, and everything that its handlers were told, in order. */
export class Client {
  constructor({ sdk, dom }, { url, appKey, options = {} }) {
    this.sdk = sdk;
    this.dom = dom;
    this.told = [];
    this.waiting = [];
    this.connection = new sdk.connection({
      appKey,
      url: `${url.replace(/^http/, 'ws')}/websocket`,
      apiUrl: url,
      isHttpDNS: false,
      ...options,
    });
    const events = ['onConnected', 'onDisconnected', 'onReconnecting', 'onError', 'onTextMessage', 'onCmdMessage',
      'onCustomMessage', 'onImageMessage', 'onAudioMessage', 'onVideoMessage', 'onFileMessage', 'onLocationMessage',
      'onCombineMessage', 'onRecallMessage', 'onReadMessage', 'onDeliveredMessage', 'onReceivedMessage',
      'onChannelMessage', 'onModifiedMessage', 'onChatroomEvent', 'onGroupEvent', 'onPresenceStatusChange',
      'onOfflineMessageSyncStart', 'onOfflineMessageSyncFinish', 'onTokenWillExpire', 'onTokenExpired'];
    const handler = {};
    for (const event of events) {
      handler[event] = (value) => this.note(event, value);
    }
    this.connection.addEventHandler('walk', handler);
  }

  note(event, value) {
    this.told.push({ event, value });
    this.waiting = this.waiting.filter((waits) => !waits());
  }

  /** The first thing told so that fits, taken out; waits for it. */
  async next(event, fits = () => true) {
    const take = () => {
      const at = this.told.findIndex((told) => told.event === event && fits(told.value ?? {}));
      return at < 0 ? undefined : { value: this.told.splice(at, 1)[0].value };
    };
    const there = take();
    if (there) return there.value;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const told = this.told.map((one) => `${one.event} ${JSON.stringify(one.value)}`).join('\n  ');
        reject(new Error(`${event} did not come; there were:\n  ${told}`));
      }, DEADLINE);
      this.waiting.push(() => {
        const found = take();
        if (!found) return false;
        clearTimeout(timer);
        resolve(found.value);
        return true;
      });
    });
  }

  /** Everything told so far under this name, taken out. */
  all(event) {
    const found = this.told.filter((told) => told.event === event).map((told) => told.value);
    this.told = this.told.filter((told) => told.event !== event);
    return found;
  }

  async open(credentials) {
    await this.connection.open(credentials);
    await this.next('onConnected');
    return this;
  }

  message(fields) {
    return this.sdk.message.create(fields);
  }

  async send(fields) {
    return this.connection.send(this.message(fields));
  }

  close() {
    this.connection.close();
    this.dom.window.close();
  }
}
