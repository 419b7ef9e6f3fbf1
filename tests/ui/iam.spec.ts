import { CLIENT, expect, PROFILE, test } from './lab';

/** A pipeline's report as the guard shows it: the call, three steps and a note. */
const PIPELINE = `from secure_ml_ext.aws.caller import caller_of
from secure_ml_ext.aws.policies import cached_bundle
from secure_ml_ext.aws.profile import cached_profile
from secure_ml_ext.check import check_request
from secure_ml_ext.check.records import Note, Report
from secure_ml_ext.guard.inline import present
from secure_ml_ext.guard.records import Card
from secure_ml_ext.rules.config import load_config

config = load_config()
profile = cached_profile(config)
asked = {"profile": profile, "bundle": cached_bundle(config, profile).bundle, "caller": caller_of(config, profile)}
role = f"arn:aws:iam::{account}:role/sm-mlops-dev-execution-role"

def subject(operation, params, **more):
    return check_request(operation, params, **asked, **more).subjects[0]

bare = {"RoleArn": role, "OutputDataConfig": {"S3OutputPath": "s3://sm-mlops-dev-eu-west-1-models/ui"},
         "ResourceConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 10}}
value = lambda name: profile.values[name].value
good = {**bare, "VpcConfig": {"Subnets": value("subnets"), "SecurityGroupIds": value("security_groups")},
        "ResourceConfig": {**bare["ResourceConfig"], "VolumeKmsKeyId": value("volume_kms_key")},
        "OutputDataConfig": {**bare["OutputDataConfig"], "KmsKeyId": value("output_kms_key")},
        "EnableInterContainerTrafficEncryption": True, "EnableNetworkIsolation": True}
call = subject("CreatePipeline", {"PipelineName": "abalone", "PipelineDefinition": "{}", "RoleArn": role})
steps = [subject("CreateTrainingJob", params, kind="pipeline-step", where=where) for params, where in (
    (good, "step Prepare"), (bare, "step Train, in CheckMSE (if)"), (good, "step Evaluate"))]
notes = [Note("nothing to check here: a Lambda function may start anything", "step Notify")]
present(Card(Report.of([call, *steps], notes), "block", "blocked", None, None, [], None, {"PipelineName": "abalone"}))`;

test('Lab 4: both answers in the card and in the panel', async ({
  lab,
  page
}) => {
  await page.setViewportSize({ width: 1280, height: 2400 });
  await lab.open('lab4.ipynb');
  await lab.guarded();
  await lab.showPanel();
  await lab.widen(420);
  const runs = async (...texts: string[]) => {
    for (const text of texts) {
      await lab.run(await lab.cellWith(text));
    }
  };
  await runs('environment = "sm-mlops-dev"', 'upload_fileobj');
  await runs('%secure_ml profile', 'credit-risk-open-');

  const card = lab.card(await lab.cellWith('credit-risk-open-'));
  const row = card.locator('.jp-SecureMl-lines > li').first();
  await expect(row).toContainText('IAM would deny this');
  await expect(row).toContainText(
    'scp:1 "DenyNoVpc" · sagemaker:VpcSubnets is absent'
  );
  await expect(row.getByTitle('Policy sm-mlops-dev-guardrails')).toHaveCount(4);
  // The last of four statements is folded away, and there by keyboard.
  await expect(row.getByText('"DenyNoOutputKey"')).toBeHidden();
  await row.getByRole('button', { name: 'and 1 more' }).focus();
  await page.keyboard.press('Enter');
  await expect(row.getByText('"DenyNoOutputKey"')).toBeVisible();
  await card.getByRole('button', { name: 'Why?' }).click();
  await expect(
    card.locator('.jp-SecureMl-facts', { hasText: 'sm-mlops-dev-guardrails' })
  ).toHaveCount(4);

  // The panel says the same: a chip in the row, the statements in its details.
  const job = lab.rows().filter({ hasText: 'credit-risk-open' });
  await expect(
    job.getByRole('listitem').filter({ hasText: 'IAM would deny this' }).first()
  ).toBeVisible();
  await job.locator('.jp-SecureMl-name').click();
  const details = job.locator('.jp-SecureMl-details .jp-SecureMl-iam');
  await expect(details).toContainText('IAM would deny this');
  await expect(details).toContainText('scp:1 "DenyNoVpc"');
  await expect(page.locator('.jp-SecureMl-statusItem')).toContainText(
    '6 findings' // four errors and a warning of the baseline, and IAM
  );

  // What the fix asks for, sent: one quiet line.
  await runs('def parameter(name)', 'credit-risk-compliant-');
  await expect(
    lab
      .cell(await lab.cellWith('credit-risk-compliant-'))
      .locator('.jp-SecureMl-quiet')
  ).toHaveText(
    /CreateTrainingJob credit-risk-compliant-.* compliant, allowed by IAM$/
  );
});

test('a card that was sent with its fix tells what IAM says now', async ({
  lab
}) => {
  lab.write('now.ipynb', [
    CLIENT,
    PROFILE,
    '%secure_ml mode block',
    'train("now")'
  ]);
  await lab.open('now.ipynb');
  await lab.guarded();
  await lab.runAll();
  const card = lab.card(3);
  await expect(card.locator('.jp-SecureMl-iam')).toContainText('"DenyNoVpc"');
  await card.getByRole('button', { name: 'Send with fix' }).click();
  await expect(card.locator('.jp-SecureMl-live')).toContainText(
    'Checked again: IAM would allow this'
  );
  await expect(card.locator('.jp-SecureMl-iam')).toContainText(
    'before the fix'
  );
});

test('the steps of a pipeline, in light and dark', async ({ lab, page }) => {
  lab.write('pipeline.ipynb', [CLIENT, PROFILE, PIPELINE, 'train("axe")']);
  await page.setViewportSize({ width: 1400, height: 1800 });
  await lab.open('pipeline.ipynb');
  await lab.guarded();
  await lab.showPanel();
  await lab.widen(420);
  await lab.runAll();
  const card = lab.card(2);
  await expect(card.locator('.jp-SecureMl-quiet')).toContainText(
    'CreatePipeline abalone compliant, allowed by IAM'
  );
  await expect(card).toContainText('step Notify: nothing to check here');

  // One step has something to say, so it stands open; the others are counted.
  const train = card.getByRole('button', { name: 'Train', exact: true });
  await expect(train).toHaveAttribute('aria-expanded', 'true');
  await expect(card.locator('.jp-SecureMl-stepTitle')).toContainText(
    'in CheckMSE (if)'
  );
  await expect(card.locator('.jp-SecureMl-stepBody')).toContainText(
    '"DenyNoVpc"'
  );
  await expect(card.locator('.jp-SecureMl-diff')).toContainText('VpcConfig');
  await train.focus();
  await page.keyboard.press('Enter');
  await expect(card.locator('.jp-SecureMl-diff')).toHaveCount(0);
  await page.keyboard.press('Enter');
  await card.getByRole('button', { name: '2 steps compliant' }).click();
  await expect(card).toContainText('Evaluate CreateTrainingJob');
  await lab.picture('pipeline-light', card);

  await expect(lab.rows()).toHaveCount(1);
  await lab.rows().first().locator('.jp-SecureMl-name').click();
  await lab.card(3).getByRole('button', { name: 'Why?' }).click();
  for (const theme of ['JupyterLab Light', 'JupyterLab Dark']) {
    await lab.theme(theme);
    expect(await lab.violations(), theme).toEqual([]);
  }
  await lab.theme('JupyterLab Light');
});
