export function brokenLinks(folder: string): {
  readonly broken: readonly string[];
  readonly links: number;
  readonly pages: number;
};
