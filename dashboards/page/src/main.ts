// The page's entry: a policy's path shows that policy, every other path the fleet.
import { FleetPage } from "./fleet";
import { PolicyPage } from "./policy";

const match = /^\/policies\/([^/]+)\/([^/]+)$/.exec(location.pathname);
if (match === null) new FleetPage().start();
else new PolicyPage(`${decodeURIComponent(match[1] ?? "")}/${decodeURIComponent(match[2] ?? "")}`).start();
