// What an app's backend does beside the SDK: REST calls with the app's token.
import assert from 'node:assert/strict';

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** One app of a running Stentor. */
export class Backend {
  constructor({ url, org, app, token }) {
    Object.assign(this, { url, org, app, token });
    this.appKey = `${org}#${app}`;
  }

  /** The app that `STENTOR_…` names. */
  static ofEnvironment() {
    const { STENTOR_URL: url, STENTOR_ORG: org, STENTOR_APP: app, STENTOR_TOKEN: token } = process.env;
    return new Backend({ url, org, app, token });
  }

  /** The answer of a call that is to be answered with 200; one that came too often is made again. */
  async rest(method, path, body, bearer = this.token) {
    const reply = await fetch(`${this.url}/${this.org}/${this.app}/${path}`, {
      method,
      headers: { Authorization: `Bearer ${bearer}`, 'Content-Type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await reply.text();
    if (reply.status === 429) {
      await sleep(300);
      return this.rest(method, path, body, bearer);
    }
    assert.equal(reply.status, 200, `${method} ${path}: ${text}`);
    return JSON.parse(text);
  }

  /** A token of a user with the password `pw`. */
  async userToken(user) {
    return (await this.rest('POST', 'token', { grant_type: 'password', username: user, password: 'pw' })).access_token;
  }
}
