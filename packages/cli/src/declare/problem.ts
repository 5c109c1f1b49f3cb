/** Something wrong in a file. */
export interface Problem {
  /** As the person named the directory, with `/`. */
  file: string;
  /** From 1. */
  line: number;
  /** The field or place inside the record, when it is about one. */
  field?: string;
  message: string;
}

/** `FILE:LINE: FIELD: MESSAGE`. */
export const problemText = ({ file, line, field, message }: Problem): string =>
  `${file}:${line}: ${field === undefined ? '' : `${field}: `}${message}`;
