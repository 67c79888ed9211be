// Recognizes the kind of a file by its first bytes: web pages, spreadsheets and compressed files often have a
// misleading name.

export interface FileKind {
  /** With its article: `an Excel file`. */
  readonly name: string;
  /** How to convert it to a file that can be read. */
  readonly remedy: string;
}

/** Number of bytes that are enough to recognize a kind. */
export const SIGNATURE_BYTES = 512;

const latin1 = (bytes: Uint8Array): string => Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');

const unpack = (how: string): string => `Decompress it first: ${how}.`;
const pandas = (reader: string): string => `Convert it in Python: pandas.${reader}.to_csv("data.csv", index=False).`;

/** The Latin-1 text at the start of a file, and the kind of file. */
const signatures: readonly (readonly [start: string, name: string, remedy: string])[] = [
  ['PAR1', 'a Parquet file', pandas('read_parquet("data.parquet")')],
  ['ARROW1', 'an Arrow file', pandas('read_feather("data.arrow")')],
  [
    '\xff\xff\xff\xff',
    'an Arrow stream',
    'Convert it in Python: pyarrow.ipc.open_stream("data.arrows").read_pandas().to_csv("data.csv", index=False).',
  ],
  ['FEA1', 'a Feather file', pandas('read_feather("data.feather")')],
  ['\x89HDF\r\n\x1a\n', 'an HDF5 file', 'Save its arrays with numpy.savez, and use "type": "npz".'],
  ['\x93NUMPY', 'a NumPy .npy file', 'Use "type": "npy".'],
  ['\x1f\x8b', 'a gzip file', unpack('gunzip data.csv.gz')],
  ['BZh', 'a bzip2 file', unpack('bunzip2 data.csv.bz2')],
  ['\xfd7zXZ\x00', 'an xz file', unpack('unxz data.csv.xz')],
  ['\x28\xb5\x2f\xfd', 'a Zstandard file', unpack('unzstd data.csv.zst')],
  ['7z\xbc\xaf\x27\x1c', 'a 7-Zip file', unpack('7z x data.7z')],
  ['Rar!', 'a RAR file', unpack('unrar x data.rar')],
  ['\x1f\x9d', 'a file packed with compress', unpack('uncompress data.csv.Z')],
  ['\x04\x22\x4d\x18', 'an LZ4 file', unpack('unlz4 data.csv.lz4')],
  ['%PDF', 'a PDF file', 'Export its table as CSV from the program that made it.'],
  ['\xd0\xcf\x11\xe0', 'an old Excel file', 'Save it as CSV in the spreadsheet program.'],
  [
    'SQLite format 3\x00',
    'an SQLite database',
    'Export the table as CSV: sqlite3 -header -csv data.db "select * from t".',
  ],
  ['ORC', 'an ORC file', pandas('read_orc("data.orc")')],
  ['Obj\x01', 'an Avro file', 'Convert it to CSV, such as with fastavro in Python.'],
  ['<stata_dta>', 'a Stata file', pandas('read_stata("data.dta")')],
  ['$FL2', 'an SPSS file', pandas('read_spss("data.sav")')],
  ['{\\rtf', 'a rich text file', 'Save it as plain text in UTF-8.'],
  ['II*\x00', 'a TIFF image', 'Use a data file.'],
  ['MM\x00*', 'a TIFF image', 'Use a data file.'],
  ['\x89PNG', 'a PNG image', 'Use a data file.'],
  ['\xff\xd8\xff', 'a JPEG image', 'Use a data file.'],
  ['GIF8', 'a GIF image', 'Use a data file.'],
  ['MATLAB 5.0 MAT-file', 'a MATLAB file', 'Save its arrays with numpy.savez after scipy.io.loadmat.'],
  [
    'MATLAB 7.3 MAT-file',
    'a MATLAB file of version 7.3',
    'Read it with h5py in Python, and save its arrays with numpy.savez.',
  ],
  ['CDF\x01', 'a NetCDF file', 'Read it with xarray in Python, and save its arrays with numpy.savez.'],
  ['CDF\x02', 'a NetCDF file', 'Read it with xarray in Python, and save its arrays with numpy.savez.'],
  ['SIMPLE  =', 'a FITS file', 'Read it with astropy in Python, and save its arrays with numpy.savez.'],
  ['RDX2\n', 'an R data file', 'Save the table in R: write.csv(data, "data.csv", row.names = FALSE).'],
  ['RDX3\n', 'an R data file', 'Save the table in R: write.csv(data, "data.csv", row.names = FALSE).'],
  ['HEADER RECORD*******', 'a SAS transport file', pandas('read_sas("data.xpt")')],
  ['ID;P', 'a SYLK file', 'Save it as CSV in the spreadsheet program.'],
  ['version https://git-lfs.github.com/spec', 'a Git LFS pointer, not the data', 'Run "git lfs pull".'],
  ['\x00\x00\xfe\xff', 'UTF-32 text', 'Save the file as UTF-8.'],
  ['\xff\xfe', 'UTF-16 text', 'Save the file as UTF-8.'],
  ['\xfe\xff', 'UTF-16 text', 'Save the file as UTF-8.'],
];

export const ARFF: FileKind = {
  name: 'an ARFF file',
  remedy: 'Remove the lines that start with @ or %, and write "header": false.',
};
const MARKDOWN: FileKind = {
  name: 'a Markdown table',
  remedy: 'Remove its second row, and the bars at both ends of each row.',
};
const PICKLE: FileKind = {
  name: 'a Python pickle',
  remedy: 'Save the arrays in Python with numpy.savez, and use "type": "npz".',
};

function zipKind(head: string): FileKind {
  if (/\[Content_Types\]|xl\/|docProps\//.test(head))
    return { name: 'an Excel file', remedy: 'Save it as CSV in the spreadsheet program.' };
  if (/mimetypeapplication\/vnd\.oasis/.test(head))
    return { name: 'an OpenDocument file', remedy: 'Save it as CSV in the spreadsheet program.' };
  if (head.includes('.npy')) return { name: 'a NumPy .npz archive', remedy: 'Use "type": "npz".' };
  if (/\/data\.pkl|\/\.format_version/.test(head)) {
    return {
      name: 'a PyTorch file',
      remedy: 'Read it with torch.load in Python, save its tensors with numpy.savez, and use "type": "npz".',
    };
  }
  return { name: 'a zip archive', remedy: unpack('unzip data.zip') };
}

/** Except tabs, line ends and form feeds. */
// eslint-disable-next-line no-control-regex
const CONTROL = /[\x00-\x08\x0e-\x1f]/;

/** pandas reads an array of rows, and objects line by line. */
function jsonRemedy(text: string): string {
  if (text.startsWith('[')) return pandas('read_json("data.json")');
  return /^\{.*\}[ \t]*\r?\n\s*\{/.test(text)
    ? pandas('read_json("data.json", lines=True)')
    : 'Convert it in Python with pandas.read_json or json_normalize; if each line is an object, with lines=True.';
}

/** UTF-16 without a byte order mark: in ASCII text every other byte is zero. */
function isUnmarkedUtf16(bytes: Uint8Array): boolean {
  const zeros = [0, 0];
  const pairs = bytes.length >> 1;
  for (let i = 0; i < 2 * pairs; i++) if (bytes[i] === 0) zeros[i % 2]!++;
  const [low, high] = zeros.sort((a, b) => a - b) as [number, number];
  return pairs >= 2 && high >= 0.7 * pairs && low <= 0.1 * pairs;
}

/**
 * The kind of a file that is not a table in plain UTF-8 text; undefined if it is not recognized.
 * @param bytes the first bytes, at most SIGNATURE_BYTES
 */
export function identifyFile(bytes: Uint8Array): FileKind | undefined {
  const head = latin1(bytes.subarray(0, SIGNATURE_BYTES));
  if (head.startsWith('PK\x03\x04')) return zipKind(head);
  for (const [start, name, remedy] of signatures) {
    // The name of a column may start like this, but a table has no control characters.
    const isWord = /^\w+!?$/.test(start);
    if (head.startsWith(start) && (!isWord || CONTROL.test(head))) return { name, remedy };
  }
  // Pickle protocols 2 to 5, and the objects of NumPy and pandas in protocol 0.
  const isBinaryPickle = bytes[0] === 0x80 && bytes[1]! >= 2 && bytes[1]! <= 5;
  if (isBinaryPickle || /^c(numpy|pandas|copy_reg)[\w.]*\n\w+\n/.test(head)) return PICKLE;
  if (/^.{8}\{"/s.test(head) && head.includes('data_offsets'))
    return { name: 'a safetensors file', remedy: 'Use "type": "safetensors".' };
  if (head.slice(12, 20) === '\xc2\xea\x81\x60\xb3\x14\x11\xcf')
    return { name: 'a SAS file', remedy: pandas('read_sas("data.sas7bdat")') };
  if (head.slice(257, 262) === 'ustar') return { name: 'a tar archive', remedy: unpack('tar -xf data.tar') };
  const text = head.replace(/^\xef\xbb\xbf/, '').trimStart();
  if (/^<(!doctype\s+html|html|head|body|script|table|div|meta|style)\b/i.test(text))
    return {
      name: 'a web page (HTML), not a table',
      remedy: 'Download the file itself: on many sites its address ends in "raw" or "download".',
    };
  if (/^<\?xml|^<!doctype/i.test(text)) return { name: 'an XML file', remedy: 'Convert it to CSV.' };
  if (/^(4\d\d|5\d\d):? [A-Z][\w ]*\s*$/.test(text)) {
    return {
      name: 'the answer of a web server that failed, not a table',
      remedy: 'Check the address, and download the file again.',
    };
  }
  if (/^@relation\b/im.test(text)) return ARFF;
  if (/^(-- (MySQL|MariaDB|PostgreSQL|SQLite|phpMyAdmin)\b|(CREATE|DROP) TABLE\b|INSERT INTO\b)/im.test(text))
    return { name: 'an SQL dump', remedy: 'Load it into a database, and export the table as CSV.' };
  if (/^\{\s*["}]|^\[\s*[[{]/.test(text)) return { name: 'a JSON file', remedy: jsonRemedy(text) };
  // One row, of which the end may be missing.
  if (/^[+-]?[\d.]+([ \t]+(\d+|qid):[^\s:,;]+)+[ \t]*([\r\n]|[ \t]\d*:?[^\s:,;]*$)/.test(text)) {
    return {
      name: 'a LIBSVM file',
      remedy:
        'Save its arrays in Python: x, y = sklearn.datasets.load_svmlight_file(path); x.toarray(), and use "type": "npz".',
    };
  }
  if (/^.*\|.*\r?\n[ \t]*\|?[ \t]*:?---*:?[ \t]*(\|[ \t]*:?---*:?[ \t]*)*\|?[ \t]*(\r?\n|$)/.test(text))
    return MARKDOWN;
  if (/^\+[-=+]{3,}\+[ \t]*\r?\n|^.*\|.*\r?\n[ \t]*\|?-{2,}(\+-{2,})+-*\|?[ \t]*\r?\n/.test(text)) {
    return {
      name: 'a table drawn with lines, as a database prints it',
      remedy: 'Export it as CSV: in PostgreSQL with psql --csv, in MySQL with mysql --batch, whose tabs are read too.',
    };
  }
  if (isUnmarkedUtf16(bytes))
    return { name: 'UTF-16 text without a byte order mark, as its NUL bytes show', remedy: 'Save the file as UTF-8.' };
  return undefined;
}
