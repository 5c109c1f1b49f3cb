import { expect, test } from '@jest/globals';
import { Type as TypeBox } from 'typebox';
import { Type } from '../src/index.js';

/*
 * Schemas without the library are those that the library makes.
 */

type Build = (of: typeof TypeBox) => unknown;

const cases: [string, Build][] = [
  ['array', (of) => of.Array(of.String(), { maxItems: 3, description: 'some' })],
  ['array without options', (of) => of.Array(of.Unknown())],
  ['boolean', (of) => of.Boolean({ default: true })],
  ['integer', (of) => of.Integer({ minimum: 1 })],
  ['number', (of) => of.Number({ maximum: 2.5 })],
  ['null', (of) => of.Null()],
  ['string', (of) => of.String({ pattern: '^a', maxLength: 5 })],
  ['unknown', (of) => of.Unknown({ description: 'anything' })],
  ['literals', (of) => of.Union([of.Literal('a'), of.Literal(1), of.Literal(true, { title: 'yes' })])],
  ['record', (of) => of.Record(of.String(), of.Integer(), { description: 'counts' })],
  ['record by pattern', (of) => of.Record(of.String({ pattern: String.raw`^\w+$` }), of.Boolean())],
  [
    'object',
    (of) =>
      of.Object(
        { must: of.String(), may: of.Optional(of.String({ description: 'd' })), null: of.Null() },
        { additionalProperties: false, description: 'an object' },
      ),
  ],
  ['object with optional properties only', (of) => of.Object({ may: of.Optional(of.Integer()) })],
  ['empty object', (of) => of.Object({})],
  ['a copy of an optional schema is not optional', (of) => of.Object({ a: { ...of.Optional(of.Null()) } })],
];

test.each(cases)('%s', (_name, build) => {
  expect(JSON.stringify(build(Type as typeof TypeBox))).toBe(JSON.stringify(build(TypeBox)));
});

test('an optional schema leaves the one it was made of as it was', () => {
  const name = Type.String();
  Type.Optional(name);
  expect(Type.Object({ name }).required).toEqual(['name']);
});
