// How this page says who it is: by the cookie, unless somebody (a widget) puts a way to get tickets here before the chat starts.
export const signIn = {
  /** Gives what hello carries: {ticket, site, origin}. One that can't be helped rejects with {final: true, message}. */
  ticket: null,
  /** The site said it once and can't say it again: a connection that still works is worth keeping. */
  once: false,
};
