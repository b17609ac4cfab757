// Reads every submission of a KoboToolbox form, page by page, and leaves one document that
// ctdhub reads with `read: {rows: results}`.  Adaptor: http (7 or later).
//
// Credential: {"baseUrl": "https://kf.kobotoolbox.org", "token": "…", "form": "…"}
//   token: KoboToolbox, account settings, security: API key
//   form: the id in the address of the form, which begins with "a"

const PAGE = 1000;

// The server says what is left in `next`; the number of the next submission follows from how many
// have come, so that a server behind another address is never followed elsewhere.
const readFrom = start => async state => {
  const { form, token } = state.configuration;
  const answered = await get(`/api/v2/assets/${form}/data/`, {
    query: { format: 'json', start, limit: PAGE },
    headers: { Authorization: `Token ${token}` },
    parseAs: 'json',
  })(state);
  const { count, next, results } = answered.data;
  const found = [...(start ? state.results : []), ...results];
  if (next && results.length) return readFrom(found.length)({ ...answered, results: found });
  if (found.length !== count) throw new Error('The server says that there are more submissions');
  return { ...answered, results: found };
};

fn(readFrom(0));

// Nothing but the submissions is kept: neither the credential nor what the server said last.
fn(({ results }) => ({ count: results.length, next: null, previous: null, results }));
