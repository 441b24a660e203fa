/** What can be done next about the password of a role. */
export type PasswordStep =
  | { readonly kind: 'none' }
  | { readonly kind: 'problem'; readonly why: string }
  /** Values are missing in the Secret. */
  | { readonly kind: 'fill' }
  /** The server has another password than the Secret. */
  | { readonly kind: 'align'; readonly login: string }
  /** From now on the interval counts. */
  | { readonly kind: 'stamp' }
  | { readonly kind: 'rotate'; readonly to: string }
  /** Its password is over. */
  | { readonly kind: 'retire'; readonly login: string };
