import { z } from 'zod';

type Class = { readonly name: string; readonly prototype: object };

/**
 * Of another copy of the class: an app may hold two of cdk8s. The name alone says little, since others have a Duration
 * too.
 */
function isLike(value: object, type: Class): boolean {
  return value.constructor?.name === type.name
    && Object.getOwnPropertyNames(type.prototype).every((member) => member in value);
}

/** An instance of a class, with content that its factories took unseen from untyped code. */
export function instance(type: Class, content?: z.ZodType): z.ZodType {
  const isInstance = (value: unknown) => typeof value === 'object' && value !== null
    && (Object.prototype.isPrototypeOf.call(type.prototype, value) || isLike(value, type));
  const shape = z.custom(isInstance, { error: `a ${type.name}` });
  return content ? shape.pipe(content) : shape;
}
