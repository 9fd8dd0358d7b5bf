// Who comes in, and who does not.
import { NOT_HERE, equal, ok, refused, sleep } from '../expect.mjs';

/** How long a token is good that is to end soon, in seconds: time enough to log in and to renew it. */
const SHORT_S = 4;

export const login = {
  async 'login by password, and out'(w) {
    const one = await w.logged('alice');
    equal(one.connection.user, 'alice');
    equal(Boolean(one.connection._compressor), w.compressed, 'whether it compresses');
    one.close();
  },

  async 'login by token'(w) {
    const one = await w.client().open({ user: 'alice', accessToken: await w.backend.userToken('alice') });
    one.close();
  },

  async 'login by a token made elsewhere (007)'(w) {
    ok(w.backend.token007.startsWith('007'), 'a token of this kind');
    const one = await w.client().open({ user: 'alice', accessToken: w.backend.token007 });
    const two = await w.logged('bob');
    await one.send({ type: 'txt', chatType: 'singleChat', to: 'bob', msg: 'by 007' });
    equal((await two.next('onTextMessage', (got) => got.msg === 'by 007')).from, 'alice');
    one.close();
    two.close();
  },

  async 'a wrong password is refused'(w) {
    const one = w.client();
    const error = await refused(one.ask({ user: 'alice', pwd: 'wrong' }));
    equal(error.type, 1, error);
    one.close();
  },

  async "a token that is nobody's, and one of another user, are refused"(w) {
    for (const accessToken of ['nonsense', await w.backend.userToken('bob')]) {
      const one = w.client();
      // Builds for SockJS say later what became of it.
      const asked = one.ask({ user: 'alice', accessToken });
      const error = w.sockjs ? await asked.then(() => one.next('onError')) : await refused(asked);
      equal(error.type, 28, error);
      one.close();
    }
  },

  async 'another token takes the place of one'(w) {
    if (!w.has('renewToken')) return NOT_HERE;
    const one = await w.client().open({ user: 'alice', accessToken: await w.backend.userToken('alice') });
    const token = await w.backend.userToken('alice');
    const renewed = await one.connection.renewToken(token);
    equal([renewed.status, renewed.token], [true, token], renewed);
    ok(renewed.expire > Date.now(), renewed);
    await one.connection.getBlocklist();
    one.close();
  },

  async 'a renewed token carries on where the old one ends'(w) {
    if (!w.has('renewToken')) return NOT_HERE;
    const token = (ttl) => w.backend.rest('POST', 'token', { grant_type: 'password', username: 'carol', password: 'pw', ttl });
    const one = await w.client().open({ user: 'carol', accessToken: (await token(SHORT_S)).access_token });
    await one.connection.renewToken((await token(600)).access_token);
    await sleep(SHORT_S * 1000 + 500);
    await w.backend.rest('POST', 'messages/users', { from: 'bob', to: ['carol'], type: 'txt', body: { msg: 'still here?' } });
    await one.next('onTextMessage', (got) => got.msg === 'still here?');
    await one.send({ type: 'txt', chatType: 'singleChat', to: 'bob', msg: 'yes' });
    equal([one.all('onTokenExpired'), one.all('onDisconnected'), one.all('onReconnecting')], [[], [], []]);
    one.close();
  },
};
