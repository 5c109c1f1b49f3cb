import { expect, test } from '@jest/globals';
import { OfficeWorld } from '../support/office-world.js';
import { WorldDesk } from './desk.js';

test('whose turn it is need not wait long when the queue still has the earlier hint', async () => {
  const world = new OfficeWorld();
  const desk = (await WorldDesk.open(world)).start();
  let asked = 0;
  world.hooks.reply = () => {
    asked += 1;
    return 'silent';
  };
  await desk.put(...Array.from({ length: 5 }, () => desk.hook('http://hung.test/', 0)));
  expect(asked).toBe(4);
  const add = world.queue.addDelivery.bind(world.queue);
  world.queue.addDelivery = async () => undefined;
  await world.clock.advanceSettling(30_000);
  world.queue.addDelivery = add;
  expect(asked).toBe(4);
  await world.clock.advanceSettling(25_000);
  expect(asked).toBe(5);
  await desk.service.stop();
});
