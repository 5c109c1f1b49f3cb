import { Type } from '../schema.js';
import { Id } from '../fields.js';

/** The schema with a description of its own. */
export const describe = <T extends object>(schema: T, description: string): T => ({ ...schema, description });

/** `offset` and `limit` of the paged calls: integers, text that is read as an integer, or null for the default. */
export const page = (limit: number, ofText = `${limit}`) => {
  const place = Type.Union([Type.Number(), Type.String(), Type.Null()]);
  return {
    offset: Type.Optional(describe(place, 'First row to return; defaults to 0')),
    limit: Type.Optional(
      describe(
        place,
        `Number of rows; defaults to ${limit}, which 0 and null mean, too; text means ${ofText}`,
      ),
    ),
  };
};

/** In a query every value is text: `limit=0` as well. */
export const allRows = 'all rows when it is no number, or `0` in a query';

/** As `page`, for the calls that answer everything by default. */
export const pageOfAll = () => {
  const place = Type.Union([Type.Number(), Type.String(), Type.Null()]);
  return {
    offset: Type.Optional(describe(place, 'First row to return; defaults to 0')),
    limit: Type.Optional(describe(place, 'Number of rows; defaults to all, and 0, null or text means all')),
  };
};

export const empty = Type.Object({});
export const eventId = describe(Id, 'Event ID');
export const jobId = describe(Id, 'Job ID');
