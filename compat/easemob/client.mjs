// A published SDK's connection, wrapped so that a step can wait for what its handlers are told; in Node and in browsers.

/** How long anything may take, in milliseconds: far more than it does, for machines that are busy with other things. */
export const DEADLINE = 30_000;

const EVENTS = ['onConnected', 'onDisconnected', 'onReconnecting', 'onError', 'onTextMessage', 'onCmdMessage',
  'onCustomMessage', 'onImageMessage', 'onAudioMessage', 'onVideoMessage', 'onFileMessage', 'onLocationMessage',
  'onCombineMessage', 'onRecallMessage', 'onReadMessage', 'onDeliveredMessage', 'onReceivedMessage',
  'onChannelMessage', 'onModifiedMessage', 'onChatroomEvent', 'onGroupEvent', 'onPresenceStatusChange',
  'onOfflineMessageSyncStart', 'onOfflineMessageSyncFinish', 'onTokenWillExpire', 'onTokenExpired',
  'onContactInvited', 'onContactAgreed', 'onContactRefuse', 'onContactDeleted', 'onContactAdded', 'onMultiDeviceEvent'];

/** What older builds call the same. */
const OLD = { onOpened: 'onConnected', onClosed: 'onDisconnected', onPictureMessage: 'onImageMessage', onPresence: 'onPresence' };

let devices = 0;

/** One client: an SDK's connection, and everything that its handlers were told, in order. */
export class Client {
  /** `place` is a page with the SDK in it: `sdk`, `window` and `close()`. It connects `through` another URL than the backend's, if one is given. */
  constructor(place, { backend, sockjs = false, through = backend.url, options = {} }) {
    this.place = place;
    this.sdk = place.sdk;
    this.appKey = backend.appKey;
    this.apiUrl = backend.url;
    this.told = [];
    this.waiting = [];
    devices += 1;
    this.connection = new this.sdk.connection({
      appKey: backend.appKey,
      url: sockjs ? `${through}/ws` : `${through.replace(/^http/, 'ws')}/websocket`,
      apiUrl: backend.url,
      isHttpDNS: false,
      // Pages of one browser share what they remember, this among it.
      deviceId: `${Date.now()}${devices}`,
      ...options,
    });
    const handler = {};
    for (const event of EVENTS) handler[event] = (value) => this.note(event, value);
    if (this.connection.addEventHandler) {
      this.connection.addEventHandler('walk', handler);
    } else {
      this.old = true;
      for (const [old, event] of Object.entries(OLD)) handler[old] = (value) => this.note(event, value);
      this.connection.listen(handler);
    }
  }

  note(event, value) {
    this.told.push({ event, value });
    this.waiting = this.waiting.filter((waits) => !waits());
  }

  /** The first thing told so that fits, taken out; waits for it. */
  async next(event, fits = () => true, ms = DEADLINE) {
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
      }, ms);
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

  /** Asks to be logged in. Old builds want to be told again where. */
  async ask(credentials) {
    const { appKey, apiUrl } = this;
    return this.connection.open(this.old ? { appKey, apiUrl, ...credentials } : credentials);
  }

  async open(credentials) {
    await this.ask(credentials);
    await this.next('onConnected');
    return this;
  }

  message(fields) {
    return this.sdk.message.create(fields);
  }

  async send(fields) {
    return this.connection.send(this.message(fields));
  }

  /** A value as one of the page: an SDK looks whose Object it is. */
  own(value) {
    return this.place.window.JSON.parse(JSON.stringify(value));
  }

  close() {
    this.connection.close();
    this.place.close();
  }
}
