/** Results of asynchronous jobs, and events. */
import { timestamp, type Cloud } from "../../cloud";
import type { Event, Job } from "../../state/records";
import { isAsync, type Commands, type Request } from "../command";
import { DOMAIN } from "../entities";
import { contains, matches, page } from "../lists";
import { checkAccess, ownerFields } from "../ownership";

/** The management server that runs the jobs. */
const SERVER = {
    managementserverid: "7f9c24e5-2f0f-4d27-8e7a-3a8e2f0a9d11",
    managementservername: "localhost",
} as const;

function jobAnswer(cloud: Cloud, job: Job, commands: Commands): object {
    const account = cloud.store.accounts.need(job.accountId);
    const command = commands[job.command];
    const java = isAsync(command) ? command.java : job.command;
    return {
        accountid: account.id,
        account: account.name,
        domainid: DOMAIN.id,
        domainpath: DOMAIN.name,
        userid: job.userId,
        cmd: `org.apache.cloudstack.api.command.${java}`,
        jobprocstatus: 0,
        jobresultcode: job.resultCode,
        ...(job.status === 0 ? {} : { jobresulttype: "object", jobresult: job.result }),
        ...(job.instanceType === undefined ? {} : { jobinstancetype: job.instanceType }),
        ...(job.instanceId === undefined ? {} : { jobinstanceid: job.instanceId }),
        ...(job.status === 0 ? SERVER : {}),
        created: timestamp(job.created),
        ...(job.completed === undefined ? {} : { completed: timestamp(job.completed) }),
        jobid: job.id,
        jobstatus: job.status,
    };
}

function eventAnswer(cloud: Cloud, event: Event): object {
    return {
        id: event.id,
        username: cloud.store.users.need(event.userId).name,
        type: event.type,
        level: event.level,
        description: event.description,
        ...ownerFields({ cloud }, event.accountId),
        ...(event.resourceId === undefined ? {} : { resourceid: event.resourceId, resourcetype: event.resourceType }),
        created: timestamp(event.created),
        state: event.state,
        archived: false,
    };
}

/** Parses dates and times as `listEvents` accepts them. */
const moment = (text: string | undefined, end: boolean) =>
    text === undefined
        ? undefined
        : Date.parse(text.length === 10 ? `${text}T${end ? "23:59:59" : "00:00:00"}Z` : `${text.replace(" ", "T")}`);

function listEvents(request: Request): object {
    const { cloud, caller } = request;
    const { id, type, level, keyword, startdate, enddate, resourceid, listall } = request.arguments;
    const [from, to] = [moment(startdate, false), moment(enddate, true)];
    const events = cloud.store.events.filter(
        (e) =>
            (e.accountId === caller.account.id || (caller.isAdmin && listall === true)) &&
            matches(e.id, id) &&
            matches(e.type, type) &&
            matches(e.level as string, level) &&
            contains(e.description, keyword) &&
            matches(e.resourceId, resourceid) &&
            (from === undefined || e.created >= from) &&
            (to === undefined || e.created <= to),
    );
    return page(request, "event", events.reverse(), (event) => eventAnswer(cloud, event));
}

/** @param commands all commands, for the `cmd` field of a job */
export function jobCommands(commands: () => Commands): Commands {
    return {
        queryAsyncJobResult: {
            run(request) {
                const job = request.cloud.store.jobs.need(request.arguments.jobid);
                checkAccess(request, job.accountId);
                return jobAnswer(request.cloud, job, commands());
            },
        },
        /** Only pending jobs: the caller's own, or with `listall` of an administrator those of all accounts. */
        listAsyncJobs: {
            run(request) {
                const { cloud, caller } = request;
                const { listall, keyword, startdate } = request.arguments;
                const from = moment(startdate, false);
                const jobs = cloud.store.jobs.filter(
                    (job) =>
                        job.status === 0 &&
                        (job.accountId === caller.account.id || (caller.isAdmin && listall === true)) &&
                        contains(job.command, keyword) &&
                        (from === undefined || job.created >= from),
                );
                return page(request, "asyncjobs", jobs, (job) => jobAnswer(cloud, job, commands()));
            },
        },
        listEvents: { entity: "event", run: listEvents },
    };
}
