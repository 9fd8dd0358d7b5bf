// Files: real bytes, up and down.
import { equal, ok } from '../expect.mjs';

/** The bytes of a blob of a page. */
const bytes = (place, blob) => new Promise((resolve, reject) => {
  const reader = new place.window.FileReader();
  reader.onload = () => resolve([...new Uint8Array(reader.result)]);
  reader.onerror = () => reject(new Error('it cannot be read'));
  reader.readAsArrayBuffer(blob);
});

const download = (client, url, secret) => new Promise((resolve, reject) => {
  client.sdk.utils.download.call(client.connection, {
    url, secret, headers: { Accept: 'audio/mp3' }, onFileDownloadComplete: resolve, onFileDownloadError: reject,
  });
});

/** The smallest picture there is. */
const PICTURE = Uint8Array.from([71, 73, 70, 56, 57, 97, 1, 0, 1, 0, 0, 0, 0, 44, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 0, 59]);

export const files = {
  async 'a file up, and down with its secret'(w) {
    const [one, two] = [await w.logged('alice'), await w.logged('bob')];
    const content = Uint8Array.from({ length: 100_000 }, (_, at) => (at * 31) % 251);
    const { window } = one.place;
    for (const [type, event, data] of [
      ['file', 'onFileMessage', new window.File([window.Uint8Array.from(content)], 'notes.bin')],
      ['img', 'onImageMessage', new window.File([window.Uint8Array.from(PICTURE)], 'dot.gif', { type: 'image/gif' })],
    ]) {
      const file = { data, filename: data.name, filetype: data.name.split('.')[1], url: '' };
      const sent = await one.send({ type, chatType: 'singleChat', to: 'bob', file, filename: data.name, file_length: data.size });
      const got = await two.next(event, (told) => told.id === sent.serverMsgId);
      equal(got.file_length, data.size);
      // The SDK says no names of pictures.
      if (type === 'file') equal(got.filename, data.name);
      ok(got.url.startsWith(w.backend.of('chatfiles/')) && got.secret, got);
      const found = await bytes(two.place, await download(two, got.url, got.secret));
      equal(found.length, data.size);
      ok(found.every((byte, at) => byte === (type === 'file' ? content : PICTURE)[at]), 'other bytes');
      // Without the secret nobody has it.
      const bare = await fetch(got.url.split('?')[0]);
      equal(bare.status, 401);
    }
    one.close();
    two.close();
  },
};
