export function errorsIn(text: string): readonly { readonly code: string; readonly text: string }[];
