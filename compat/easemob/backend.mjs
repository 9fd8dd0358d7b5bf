// What an app's backend does beside the SDK: REST calls with the app's token.
import { equal, sleep } from './expect.mjs';

/** One app of a running Stentor. */
export class Backend {
  constructor({ url, org, app, token, token007 }) {
    Object.assign(this, { url, org, app, token, token007 });
    this.appKey = `${org}#${app}`;
  }

  /** The URL of something of the app. */
  of(path) {
    return `${this.url}/${this.org}/${this.app}/${path}`;
  }

  /** The answer of a call that is to be answered with 200; one that came too often is made again. */
  async rest(method, path, body, bearer = this.token) {
    const reply = await fetch(this.of(path), {
      method,
      headers: { Authorization: `Bearer ${bearer}`, 'Content-Type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await reply.text();
    if (reply.status === 429) {
      await sleep(300);
      return this.rest(method, path, body, bearer);
    }
    equal(reply.status, 200, `${method} ${path}: ${text}`);
    return JSON.parse(text);
  }

  /** A token of a user with the password `pw`. */
  async userToken(user) {
    return (await this.rest('POST', 'token', { grant_type: 'password', username: user, password: 'pw' })).access_token;
  }

  /** Registers users with the password `pw`. */
  async register(...users) {
    for (const user of users) await this.rest('POST', 'users', { username: user, password: 'pw' });
  }

  /** A new room; its ID. */
  async room(fields = {}) {
    return (await this.rest('POST', 'chatrooms', { name: 'lobby', description: '-', owner: 'owner', ...fields })).data.id;
  }

  /** Says something in a room; the message's ID. */
  async say(room, fields) {
    const said = { from: 'admin', to: [room], type: 'txt', ...fields };
    return (await this.rest('POST', 'messages/chatrooms', said)).data[room];
  }
}
