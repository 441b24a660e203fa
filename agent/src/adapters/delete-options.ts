/** Deletes by uid, so that a successor of that name is safe. */
import type { RequestContext } from '@kubernetes/client-node/dist/gen/http/http.js';

/** The request of a deletion with its condition: 409 when another object has the name. */
export function preconditioned(request: RequestContext, uid: string): RequestContext {
  request.setHeaderParam('Content-Type', 'application/json');
  const options = JSON.stringify({ apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid } });
  request.setBody(options);
  // Node.js tells no length by itself for this method, and the server would take the body for the next request.
  request.setHeaderParam('Content-Length', String(Buffer.byteLength(options)));
  return request;
}
