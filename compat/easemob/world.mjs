// What every step has at hand, and how steps are run: the same in Node and in browsers.
import { Client } from './client.mjs';
import { NOT_HERE } from './expect.mjs';

/** A build of the SDK, and a server for it. */
export class World {
  /** `open` makes a page with the SDK in it, `proxy` a network that breaks, where that can be had; `browser` says that it is one of a real one, `compressed` that the server compresses. */
  constructor({ build, backend, open, proxy, browser = false, compressed = false }) {
    Object.assign(this, { build, backend, open, proxy, browser, compressed });
    this.sockjs = SOCKJS.includes(build);
    this.old = OLD.includes(build);
    this.toldOfRooms = !UNTOLD.includes(build);
  }

  /** A client that is not logged in. */
  client(options, through) {
    return new Client(this.open(), { backend: this.backend, sockjs: this.sockjs, through, options });
  }

  /** A client of a user. */
  logged(user, options, through) {
    return this.client(options, through).open({ user, pwd: 'pw' });
  }

  /** Whether the build has a call. */
  has(name) {
    if (!this.calls) {
      const one = this.client();
      this.calls = new Set();
      for (let of = one.connection; of; of = Object.getPrototypeOf(of)) Object.getOwnPropertyNames(of).forEach((call) => this.calls.add(call));
      one.place.close();
    }
    return this.calls.has(name);
  }
}

/** Builds that connect by SockJS. */
export const SOCKJS = ['easemob-websdk-4.8.1', 'easemob-websdk-3.6.3', 'agora-chat-1.3.1'];

/** Builds that do not say what an announcement is, nor what who applies says, nor that they get what waited. */
const OLD = ['easemob-websdk-4.8.1', 'easemob-websdk-3.6.3'];

/** Builds whose answer to a join says nothing of the room: they do not look at what they are told of it. */
const UNTOLD = ['easemob-websdk-4.8.1', 'agora-chat-1.3.1'];

/** Everybody in the steps. */
export const USERS = ['alice', 'bob', 'carol', 'dave', 'owner', 'away', 'victim', 'quiet'];

/** How long a step may take, in milliseconds: a minute of silence, and some time for machines that are busy. */
const LIMIT_MS = 150_000;

/** Runs steps one after the other, and says a line of each. Returns how many failed. */
export async function run(world, steps, { only, say }) {
  let failed = 0;
  for (const [name, step] of Object.entries(steps)) {
    if (only && !name.includes(only)) continue;
    const from = Date.now();
    let timer;
    const late = new Promise((resolve, reject) => {
      timer = setTimeout(() => reject(new Error('it takes too long')), LIMIT_MS);
    });
    try {
      const done = await Promise.race([step(world), late]);
      say(done === NOT_HERE ? `-- ${world.build}: ${name}: not here` : `ok ${world.build}: ${name} (${Date.now() - from} ms)`);
    } catch (error) {
      failed += 1;
      say(`FAILED ${world.build}: ${name}\n${error?.stack ?? JSON.stringify(error)}`);
    } finally {
      clearTimeout(timer);
    }
  }
  return failed;
}
