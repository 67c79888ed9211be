import path from 'node:path';

/** Whether an absolute path is a folder or lies below it. No link is followed: compare real paths where they matter. */
export function isInside(target: string, folder: string | null): boolean {
  if (folder === null) return false;
  const relative = path.relative(folder, target);
  return relative !== '..' && !relative.startsWith(`..${path.sep}`) && !path.isAbsolute(relative);
}
