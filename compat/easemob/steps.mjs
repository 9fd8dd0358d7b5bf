// Every step of the walk, in its order.
import { connection, silence } from './steps/connection.mjs';
import { devices } from './steps/devices.mjs';
import { files } from './steps/files.mjs';
import { groups } from './steps/groups.mjs';
import { login } from './steps/login.mjs';
import { messages } from './steps/messages.mjs';
import { mixed } from './steps/mixed.mjs';
import { past } from './steps/past.mjs';
import { people } from './steps/people.mjs';
import { rooms } from './steps/rooms.mjs';

export const steps = { ...login, ...messages, ...rooms, ...groups, ...people, ...files, ...past, ...devices, ...connection, ...mixed };
export { silence };
