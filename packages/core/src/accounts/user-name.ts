/**
 * Id of the record of a user: the name in lower case without what ids may not hold (behaviour reference 2.6). Names that
 * differ in nothing else belong to the same user.
 */
export const userIdOf = (username: string): string => username.toLowerCase().replaceAll(/\W/g, '');
