export interface Block {
  readonly page: string;
  readonly line: number;
  readonly kind: 'ts' | 'tsx';
  readonly code: string;
}
export function blocksIn(page: string, text: string): readonly Block[];
