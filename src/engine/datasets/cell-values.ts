// Interprets the cells of a table: numbers, missing values, and common ways to write a number that are not plain
// numbers.
import * as z from 'zod/mini';

/**
 * Texts for a missing value: those that pandas, SQL, R, Stata and spreadsheets write, and dashes. They are
 * case-sensitive: `Na` is sodium, and `none` may be a class.
 */
const MISSING_TEXTS: ReadonlySet<string> = new Set([
  '',
  ...'NA, na, N/A, n/a, n.a., N.A., #N/A, #N/A N/A, #NA, <NA>, NaN, nan, NAN, -NaN, -nan'.split(', '),
  ...'1.#IND, 1.#QNAN, -1.#IND, -1.#QNAN, NULL, Null, null, \\N, None, ?, -, --, ---, –, —, ., ..'.split(', '),
  ...'NaT, pd.NA, (null), <null>, <NULL>, k.A., k. A.'.split(', '),
  // #N/A as Excel writes it in German, Spanish and Italian, Dutch, Danish, Swedish, Finnish, Polish and Russian.
  ...'#NV, #N/D, #N/B, #I/T, #SAKNAS!, #PUUTTUU!, #N/D!, #Н/Д'.split(', '),
]);

/** @param text without surrounding spaces */
export const isMissingText = (text: string): boolean => MISSING_TEXTS.has(text);

export const missingValuesOption = z.optional(
  z
    .array(z.union([z.string().check(z.minLength(1)), z.number()]))
    .check(
      z.minLength(1),
      z.describe(
        'Further values that stand for a missing one in this file, such as `-999` or `"not measured"`. Numbers match ' +
          'however they are written: `-999` is also `-999.0`.',
      ),
    ),
);

/** Tests whether a cell, without surrounding spaces, stands for a missing value. */
export function missingTest(
  further: readonly (string | number)[] | undefined,
  parse: (text: string) => number,
): (text: string) => boolean {
  if (further === undefined) return isMissingText;
  const texts = new Set(further.filter((value) => typeof value === 'string'));
  // A text that is a number matches as one.
  const numbers = new Set(further.map((value) => (typeof value === 'string' ? parse(value) : value)));
  numbers.delete(NaN);
  return (text) => isMissingText(text) || texts.has(text) || (numbers.size > 0 && numbers.has(parse(text)));
}

export const numberFormatOptions = {
  decimal: z._default(z.enum(['.', ',']).check(z.describe('The decimal mark of the numbers.')), '.'),
  thousands: z.optional(
    z
      .enum([',', '.', ' ', "'", '_'])
      .check(z.describe('The thousands separator of the numbers. By default, none is accepted.')),
  ),
};

export interface NumberFormat {
  readonly decimal: '.' | ',';
  readonly thousands?: ',' | '.' | ' ' | "'" | '_' | undefined;
}

// Digits may match in one way only: with two, a long cell takes time that grows with the square of its length.
const NUMBER_PATTERN = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;

/** Parses decimal notation as in Python and C, without surrounding spaces; NaN for any other text. */
export const parsePlainNumber = (text: string): number => (NUMBER_PATTERN.test(text) ? Number(text) : NaN);

/** The class of characters that a separator stands for. */
const separatorClass = (separator: string): string =>
  separator === ' ' ? '[ \\u00a0\\u2009\\u202f]' : separator === "'" ? "['’]" : separator === '.' ? '\\.' : separator;

/** A parser of numbers in a format; NaN for any other text. */
export function numberParser({ decimal, thousands }: NumberFormat): (text: string) => number {
  if (decimal === '.' && thousands === undefined) return parsePlainNumber;
  const separator = thousands === undefined ? undefined : separatorClass(thousands);
  // Requires groups of exactly three digits after the first, so that no digit is lost silently.
  const grouped =
    separator === undefined
      ? undefined
      : new RegExp(`^[+-]?\\d{1,3}(${separator}\\d{3})+(${decimal === '.' ? '\\.' : ','}\\d*)?$`);
  const separators = separator === undefined ? undefined : new RegExp(separator, 'g');
  return (text) => {
    const ungrouped = grouped && separators && grouped.test(text) ? text.replace(separators, '') : text;
    if (decimal === '.') return parsePlainNumber(ungrouped);
    return ungrouped.includes('.') ? NaN : parsePlainNumber(ungrouped.replace(',', '.'));
  };
}

export interface CellDiagnosis {
  /** Stable, kebab-case. */
  readonly code: string;
  /** Continues the quoted cell: `has a thousands separator`. */
  readonly what: string;
  readonly remedy: string;
}

export interface CellContext {
  readonly delimiter: string;
  /** Other cells of the column, which distinguish a decimal comma from a thousands separator. */
  readonly column: readonly string[];
  readonly isTarget: boolean;
  /** How numbers are written according to the options. */
  readonly format: NumberFormat;
}

const COMMA_GROUPS = /^[+-]?\d{1,3}(,\d{3})+$/;
/** Unambiguous thousands separators: several groups, or a decimal point after them. */
const CERTAIN_GROUPS = /^[+-]?\d{1,3}((,\d{3}){2,}(\.\d*)?|,\d{3}\.\d*)$/;
/** Unambiguous points between thousands: a decimal comma follows them. */
const CERTAIN_POINT_GROUPS = /^[+-]?\d{1,3}(\.\d{3})+,\d+$/;
/** An unambiguous decimal comma: not three digits after it, more than three before it, or a leading 0. */
const isDecimalComma = (text: string): boolean =>
  /^[+-]?\d*,\d+(e[+-]?\d+)?$/i.test(text) && (!COMMA_GROUPS.test(text) || /^[+-]?0/.test(text));

const plural = (value: string): string => `the cell is then ${value}`;

/** Indian notation: two digits between separators, and three at the end. */
const LAKHS = /^[+-]?\d{1,2}(,\d{2})*,\d{3}(\.\d*)?$/;
/** A point that is a thousands separator or a decimal mark. */
const AMBIGUOUS_POINT = /^[+-]?[1-9]\d{0,2}\.\d{3}$/;
const POINT_GROUPS = /^[+-]?\d{1,3}(\.\d{3}){2,}$/;

/** Points and commas where `"decimal": ","` is set. */
function diagnosePoints(text: string, { thousands }: NumberFormat): CellDiagnosis | undefined {
  if (CERTAIN_GROUPS.test(text)) {
    return {
      code: 'decimal-point',
      what: 'has commas between thousands, but "decimal" is ","',
      remedy: `Write "decimal": "." and "thousands": ","; ${plural(String(Number(text.replaceAll(',', ''))))}.`,
    };
  }
  const hasGroups = CERTAIN_POINT_GROUPS.test(text) || POINT_GROUPS.test(text);
  if (hasGroups && thousands !== '.') {
    const value = Number(text.replaceAll('.', '').replace(',', '.'));
    return {
      code: 'thousands-separator',
      what: 'has points between thousands',
      remedy: `Add "thousands": "."; ${plural(String(value))}.`,
    };
  }
  if (!text.includes('.') || Number.isNaN(parsePlainNumber(text))) return undefined;
  return {
    code: 'decimal-point',
    what: 'has a point, but "decimal" is ","',
    remedy: AMBIGUOUS_POINT.test(text)
      ? 'Add "thousands": "." if it separates thousands; if not, write a comma instead.'
      : 'Write a comma instead, or remove "decimal" if all numbers have points.',
  };
}

function diagnoseCommas(text: string, { column, delimiter, format }: CellContext): CellDiagnosis | undefined {
  if (format.decimal === ',') return diagnosePoints(text, format);
  if (format.thousands === ',' && /^[+-]?\d[\d,]*(\.\d*)?$/.test(text) && text.includes(',') && !LAKHS.test(text)) {
    return {
      code: 'thousands-separator',
      what: 'has a comma that is not ahead of three digits',
      remedy: 'Correct the cell, or remove "thousands" if its commas are decimal ones.',
    };
  }
  const thousands = (): CellDiagnosis => ({
    code: 'thousands-separator',
    what: 'has a thousands separator',
    remedy: `Add "thousands": ","; ${plural(String(Number(text.replaceAll(',', ''))))}.`,
  });
  const decimal = (): CellDiagnosis => ({
    code: 'decimal-comma',
    what: 'has a decimal comma',
    remedy: `Add "decimal": ","; ${plural(String(Number(text.replace(',', '.'))))}.`,
  });
  if (CERTAIN_GROUPS.test(text)) return thousands();
  if (CERTAIN_POINT_GROUPS.test(text)) {
    const value = Number(text.replaceAll('.', '').replace(',', '.'));
    return {
      code: 'decimal-comma',
      what: 'has a decimal comma and points between thousands',
      remedy: `Add "decimal": "," and "thousands": "."; ${plural(String(value))}.`,
    };
  }
  if (isDecimalComma(text)) return decimal();
  if (!COMMA_GROUPS.test(text)) return undefined;
  if (column.some(isDecimalComma)) return decimal();
  if (delimiter === ',' || column.some((cell) => CERTAIN_GROUPS.test(cell))) return thousands();
  return {
    code: 'ambiguous-comma',
    what: 'has a comma that is either a thousands separator or a decimal comma',
    remedy: 'Add "thousands": "," if it separates thousands, or "decimal": "," if it is the decimal mark.',
  };
}

/** A sign such as € or US$, or a code of three letters, ahead of an amount or behind it. */
const CURRENCY =
  /^([+-]?)\s*(?:[A-Z]{0,3}\p{Sc}|[A-Z]{3})\s*([+-]?\d.*)$|^([+-]?)(\d.*?)\s*(?:[A-Z]{0,3}\p{Sc}|[A-Z]{3})$/u;

/** The number that an amount of money certainly stands for; NaN if there is a doubt. */
function amountValue(amount: string): number {
  if (CERTAIN_GROUPS.test(amount)) return parsePlainNumber(amount.replaceAll(',', ''));
  if (CERTAIN_POINT_GROUPS.test(amount)) return parsePlainNumber(amount.replaceAll('.', '').replace(',', '.'));
  if (POINT_GROUPS.test(amount)) return parsePlainNumber(amount.replaceAll('.', ''));
  if (isDecimalComma(amount)) return parsePlainNumber(amount.replace(',', '.'));
  return AMBIGUOUS_POINT.test(amount) ? NaN : parsePlainNumber(amount);
}

/** What is written instead of an amount, in the decimal mark of the options; undefined if there is a doubt. */
function writtenAmount(amount: string, { format }: CellContext): string | undefined {
  const value = amountValue(amount.replaceAll(' ', ''));
  if (!Number.isFinite(value)) return undefined;
  return format.decimal === ',' ? String(value).replace('.', ',') : String(value);
}

/** A day with its year ahead or behind, or a time. Not a version, an IP address or another number with dashes. */
const DATE = /^(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d{2}))(?![-/.\d])|^\d{1,2}:\d{2}/;
/** A month or a quarter of a year, or a week of it. */
const PART_OF_YEAR = /^(19|20)\d{2}([-/](0[1-9]|1[0-2])|[- ]?(Q[1-4]|W\d{1,2}))$|^Q[1-4][- /]?(19|20)\d{2}$/i;
const MONTH_NAMES = 'jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec';
/** `12-Mar-2021`, `March 5, 2020`, `Fri, 12 Mar 2021 10:00`. */
const NAMED_MONTH = new RegExp(
  `^([a-z]{3,9},? )?(\\d{1,4}(st|nd|rd|th)?[-. /]?)?(${MONTH_NAMES})[a-z]{0,6}\\.?[-. /,]+\\d{1,4}\\b`,
  'i',
);

const isDate = (text: string): boolean => DATE.test(text) || PART_OF_YEAR.test(text) || NAMED_MONTH.test(text);

/** A number and the letters behind it. */
const UNIT = /^([+-]?(?:\d+(?:\.\d*)?|\.\d+))\s*(?![ex]$)([a-zµμ°Ω][\p{L}/²³°]*)$/iu;
/** Letters that shorten a number, without a space: with one, K is Kelvin. */
const MULTIPLIERS: Readonly<Record<string, readonly [factor: number, name: string]>> = {
  k: [1e3, 'thousand'],
  K: [1e3, 'thousand'],
  M: [1e6, 'million'],
  B: [1e9, 'billion'],
};
const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹';
const TIMES_TEN =
  /^([+-]?\d+(?:[.,]\d+)?)\s*[x×*·]\s*10\s*(?:(?:\^|\*\*)\s*\(?([+\-−]?\d+)\)?|([+\-−]\d+)|([⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+))$/;

/** `6.02×10^23` as a number; undefined for another text. */
function timesTen(text: string): number | undefined {
  const [, factor, ...exponents] = TIMES_TEN.exec(text) ?? [];
  const exponent = exponents
    .find((each) => each !== undefined)
    ?.replace(/[−⁻]/, '-')
    .replace('⁺', '')
    .replace(/[⁰¹²³⁴⁵⁶⁷⁸⁹]/g, (digit) => String(SUPERSCRIPTS.indexOf(digit)));
  return factor === undefined ? undefined : Number(`${factor.replace(',', '.')}e${exponent}`);
}

/** Whether a text that is no number was meant as one, such as `0,5`, `12 %` or a date. */
export function isNumberLike(text: string, context: CellContext): boolean {
  return /\d/.test(text) && !['not-a-number', 'list'].includes(diagnoseCell(text, context).code);
}

/** Characters of a cell that a diagnosis inspects; no way to write a number is longer. */
export const MAX_DIAGNOSED_LENGTH = 1000;

/** What a cell contains that is neither a number nor missing, and what to do about it. */
export function diagnoseCell(text: string, context: CellContext): CellDiagnosis {
  if (text.length > MAX_DIAGNOSED_LENGTH) return diagnoseLongCell(text, context);
  const commas = diagnoseCommas(text, context);
  if (commas) return commas;
  const found = (code: string, what: string, remedy: string): CellDiagnosis => ({ code, what, remedy });
  if (/^[+-]?\d{1,3}([ \u00a0\u2009\u202f'’_]\d{3})+([.,]\d*)?$/.test(text)) {
    const separator = text.includes('_') ? '_' : /['’]/.test(text) ? "'" : ' ';
    const decimal = text.includes(',') && context.format.decimal !== ',' ? ' and "decimal": ","' : '';
    return found(
      'thousands-separator',
      'has thousands separators',
      `Add "thousands": ${JSON.stringify(separator)}${decimal}.`,
    );
  }
  if (LAKHS.test(text)) {
    const value = Number(text.replaceAll(',', ''));
    return found('thousands-separator', 'has separators between lakhs', `Remove the commas from the column: ${value}.`);
  }
  if (/^[+-]?[\d.,]+\s*[%‰]$/.test(text)) {
    const parse = numberParser(context.format);
    const share = Number((amountValue(text.slice(0, -1).trim()) / (text.endsWith('‰') ? 1000 : 100)).toPrecision(15));
    return found(
      'percent',
      'is a percentage',
      context.column.some((cell) => !Number.isNaN(parse(cell))) && Number.isFinite(share)
        ? `Other cells of the column have no percent sign: write ${share} if they are shares, or remove the sign.`
        : 'Remove the percent signs from the column; its numbers are then in percent.',
    );
  }
  if (/^\[.*\d.*\]$|^\{.*\}$|^\(.*\d.*[,;] .*\)$/s.test(text)) {
    return found(
      'list',
      'is a list, not a number',
      'Give each of its numbers a column, or save an array with numpy.save and use "type": "npy".',
    );
  }
  const negative = /^(?:\p{Sc}|[A-Z]{3})?\s*\((.*\d.*)\)$/u.exec(text)?.[1];
  if (negative !== undefined) {
    const amount = negative.replace(/^\s*(\p{Sc}|[A-Z]{3})\s*/u, '');
    const written = isDecimalComma(amount) ? undefined : writtenAmount(amount, context);
    return found(
      'accounting',
      'is in parentheses, as a negative amount',
      written === undefined ? 'Write a minus sign instead of the parentheses.' : `Write -${written} instead.`,
    );
  }
  if (/^\d[\d.,' ]*[-−]$/.test(text)) {
    const written = writtenAmount(text.slice(0, -1), context);
    return found(
      'minus-behind',
      'has its minus sign behind it',
      written === undefined ? 'Write the minus sign ahead of the number.' : `Write -${written} instead.`,
    );
  }
  const currency = /\d/.test(text) ? CURRENCY.exec(text) : null;
  if (currency) {
    const written = writtenAmount(`${currency[1] ?? currency[3] ?? ''}${currency[2] ?? currency[4] ?? ''}`, context);
    const signs = new Set(context.column.flatMap((cell) => /\p{Sc}|[A-Z]{3}/u.exec(cell)?.[0] ?? []));
    const remedy =
      written === undefined ? 'Remove the currency sign and any thousands separators.' : `Write ${written} instead.`;
    return found(
      'currency',
      'has a currency sign',
      signs.size > 1 ? 'Convert the column to one currency, and write numbers without a sign.' : remedy,
    );
  }
  if (/^[\u2010-\u2015\u2212\ufe63\uff0d]\s*[\d.]/.test(text)) {
    return found('not-a-minus', 'starts with a dash that is not a minus sign', 'Write "-", the hyphen-minus.');
  }
  if (/^[+-]?(inf(inity)?|∞)$/i.test(text)) {
    return found('infinite', 'is infinite', 'Write a finite number, or remove the row.');
  }
  if (Math.abs(numberParser(context.format)(text)) === Infinity) {
    return found('too-large', 'is too large for a number', 'Write a number below 1.8e308, or remove the row.');
  }
  if (/^[+-]?0(x[\da-f]+|o[0-7]+|b[01]+)$/i.test(text)) {
    return found('not-decimal', 'is not in decimal notation', 'Write the number in decimal notation.');
  }
  if (/^[+-]?(\d+(\.\d*)?|\.\d+)d[+-]?\d+$/i.test(text)) {
    const value = Number(text.replace(/d/i, 'e'));
    return found('fortran-exponent', 'has an exponent that starts with D', `Write "e" instead of "D": ${value}.`);
  }
  if (/^(true|false|yes|no)$/i.test(text)) {
    return found('truth-value', 'is a boolean, not a number', 'Write 1 and 0 in the column.');
  }
  if (/^#+$/.test(text) && text.length > 2) {
    return found(
      'spreadsheet-error',
      'is what a spreadsheet shows in a column that is too narrow',
      'Widen the column in the spreadsheet, and save it as CSV again.',
    );
  }
  // In any language: #WERT!, #VALEUR!, #¡REF!
  if (/^#¡?\p{Lu}[\p{Lu}\d/]*[!?]$/iu.test(text)) {
    return found('spreadsheet-error', 'is a spreadsheet error', 'Correct the formula, or clear the cell.');
  }
  if (isDate(text)) {
    return found(
      'date',
      'is a date or a time, not a number',
      'Write it as a number, such as days since the first date.',
    );
  }
  if (/^(?:"[^"]*"|'[^']*'|[“”„][^“”]*[“”]|[‘’‚][^‘’]*[‘’])$/u.test(text) && /\d/.test(text)) {
    return found(
      'quotes-in-cell',
      'has quotes that are part of the cell',
      'Put plain double quotes right after the delimiter, or remove the quotes.',
    );
  }
  const otherUse = context.isTarget
    ? 'or "task": "classes" if the column holds classes.'
    : 'or leave the column out of "inputs".';
  const power = timesTen(text);
  if (power !== undefined) return found('times-ten', 'is a product with a power of ten', `Write ${power} instead.`);
  const visible = text.replace(INVISIBLE, '').trim();
  if (visible !== text && !Number.isNaN(numberParser(context.format)(visible))) {
    return found(
      'invisible-character',
      'has an invisible character',
      `Remove invisible characters from the column; the cell is then ${visible}.`,
    );
  }
  if (/^([<>≤≥~≈]|[<>]=)\s*[\d.,]+$/.test(text)) {
    return found(
      'bound',
      'is a bound or an estimate, not a number',
      'Write a number, or list such values in "missing_values" and choose what "missing" does.',
    );
  }
  const commented = /^(\S+)\s+(?:#|\/\/|%)\s/.exec(text)?.[1];
  if (commented !== undefined && !Number.isNaN(numberParser(context.format)(commented))) {
    return found(
      'comment-behind',
      'has a comment behind the number',
      'Remove such comments; "comment" only skips whole lines.',
    );
  }
  return (
    diagnoseUnit(text, context, otherUse) ?? found('not-a-number', 'is not a number', textRemedy(context, otherUse))
  );
}

function diagnoseLongCell(text: string, { format }: CellContext): CellDiagnosis {
  return Math.abs(numberParser(format)(text)) === Infinity
    ? {
        code: 'too-large',
        what: 'is too large for a number',
        remedy: 'Write a number below 1.8e308, or remove the row.',
      }
    : { code: 'not-a-number', what: 'is a long text, not a number', remedy: 'Write a number, or use other columns.' };
}

/** Characters that hide in a text, the zero byte among them. */
const INVISIBLE = /[\p{Cc}\p{Cf}]/gu;

/** Texts in most of the cells are categories, not typing errors. */
function textRemedy({ column, isTarget, format }: CellContext, otherUse: string): string {
  const parse = numberParser(format);
  const texts = column.filter((cell) => /\p{L}{2}/u.test(cell) && !isMissingText(cell) && Number.isNaN(parse(cell)));
  return !isTarget && texts.length > column.length / 2
    ? `Encode the texts as numbers, such as with pandas.get_dummies, ${otherUse}`
    : `Write a number, ${otherUse}`;
}

function diagnoseUnit(text: string, { column }: CellContext, otherUse: string): CellDiagnosis | undefined {
  const [, number, letters] = UNIT.exec(text) ?? [];
  if (number === undefined || letters === undefined) return undefined;
  if (/^(cr|dr)$/i.test(letters)) {
    return {
      code: 'credit',
      what: 'is a credit or a debit',
      remedy: 'Write a sign ahead of the numbers of the column instead of CR and DR.',
    };
  }
  const multiplier = Object.hasOwn(MULTIPLIERS, letters) && !/\s/.test(text) ? MULTIPLIERS[letters] : undefined;
  if (multiplier) {
    const [factor, name] = multiplier;
    const value = Number((Number(number) * factor).toPrecision(15));
    return {
      code: 'unit',
      what: 'has letters behind the number',
      remedy: `Write ${value} if ${letters} stands for ${name}, ${otherUse}`,
    };
  }
  const units = new Set(column.flatMap((cell) => UNIT.exec(cell)?.[2] ?? []));
  return {
    code: 'unit',
    what: 'has letters behind the number',
    remedy:
      units.size > 1
        ? `Convert the column to one unit, and write numbers without it, ${otherUse}`
        : `Remove them if they are a unit, so that ${Number(number)} is left, ${otherUse}`,
  };
}
