// An OpenID provider for the tests: the npm package `oidc-provider` with its own pages for signing in, where any name
// and password are taken. Arguments: the folder of node_modules, a port, the client's secret, where people come back to.
import { pathToFileURL } from 'node:url';

// A clock that can be set: `/clock/` and the seconds that it shows from then on.
const clock = Date.now;
let ahead = 0;
Date.now = () => clock() + ahead;

const [modules, port, secret, redirect] = process.argv.slice(2);
const { default: Provider } = await import(pathToFileURL(`${modules}/oidc-provider/lib/index.js`));
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    {
      client_id: 'tribune',
      client_secret: secret,
      redirect_uris: [redirect],
      response_types: ['code'],
      grant_types: ['authorization_code'],
      require_auth_time: true,
    },
  ],
  cookies: { keys: ['for tests alone'] },
  features: { devInteractions: { enabled: true } },
  pkce: { required: () => true },
});
provider.use((context, next) => {
  if (!context.path.startsWith('/clock/')) return next();
  ahead = Number(context.path.slice('/clock/'.length)) * 1000 - clock();
  context.status = 204;
});
provider.listen(Number(port), '127.0.0.1', () => console.log('ready'));
